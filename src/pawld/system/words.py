"""Words of strangers, made fit for a sentence or a log of ours."""


def printable(text: str, most: int) -> str:
    """Return at most *most* characters of *text*, each that a terminal would act on as a question mark."""
    return "".join(one if one.isprintable() else "?" for one in text[:most])
