"""What listeners are shown: lists of songs, with the reasons for them."""
