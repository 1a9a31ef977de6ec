"""Past one machine, on Ray: many photos enrolled by many engines, one page with engines apart.

An extra (requirements-ray.txt); nothing else in `core/` imports this room.
"""
