"""What stands round the page: its address, its HTML document, its look, its photos' folder."""
