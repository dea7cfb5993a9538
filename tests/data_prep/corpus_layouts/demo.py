"""The demo corpus as the synthesiser itself writes it, with few voices."""

from data_prep.synthetic import synthesise


def write(data_root):
    synthesise("demo", data_root, speakers=2)
    return "demo"
