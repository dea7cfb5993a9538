"""A trained model as a web page and as a JSON endpoint, on this machine alone.

`limits` refuses what is too large before it is kept, `uploads` keeps a recording for as long as
it is worked on, `queue` has the one model that all clients share, `page` is what a person sees,
`schema` what a program gets, `app` puts them together. Nothing here asks another machine for
anything, and the page may not either: `limits.POLICY`.
"""
