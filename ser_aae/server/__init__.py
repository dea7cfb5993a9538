"""A trained model as a web page and as a JSON endpoint, on this machine alone or behind a token.

A request comes through `connections`, whose number and patience are bounded; `exchange`, which
brings it to an end that its client can read; `limits`, which refuses names that are not the
machine's (`hosts`), pages of other sites, and bodies that are too large or too slow; and `login`,
which asks for the token. `uploads` keeps a recording for as long as it is worked on, `queue` has
the one model that all clients share, `page` is what a person sees, `schema` what a program gets,
`app` puts them together. `address` says where the server listens, `health` asks whether it is well.
Nothing here asks another machine for anything, and the page may not either: `limits.POLICY`.
"""
