"""``konnectd doctor``: one file for each thing that is looked at; `konnectd.doctor.command` first.

Nothing here changes anything: no file is written, no code is redeemed, nobody is signed in. No finding shows a secret.
"""
