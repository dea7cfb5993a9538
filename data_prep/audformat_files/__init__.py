"""The files of audformat databases (https://audeering.github.io/audformat): reading, writing.

`header` and `tables` read `db.yaml` and the rows and run nothing that lies there, `choice`
finds the table that holds the emotions, `values` reads the fields of a row, `export` writes a
database. The library `audformat` itself is imported inside functions, as it takes longer than
most commands run.
"""
