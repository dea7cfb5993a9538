"""The files of audformat databases (https://audeering.github.io/audformat): reading, writing.

`tables` reads header and rows and runs nothing that lies there, `choice` finds the table that
holds the emotions, `values` says what a row is, `export` writes a database. The library
`audformat` itself is imported inside functions, as it takes longer than most commands run.
"""
