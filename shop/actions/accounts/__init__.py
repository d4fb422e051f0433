"""What concerns an account with all that hangs on it.

erasing   makes an account anonymous
removing  what staff do when they delete one
"""
