"""How times and sizes are written for people."""

__all__ = ["duration", "p_value", "size"]


def duration(seconds: float) -> str:
    """Two or three figures, in the unit that fits: `85 µs`, `1.20 ms`, `12.3 s`, `4 min 10 s`."""
    if seconds >= 99.95:
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 0.9995:
            return f"{_figures(seconds * factor)} {unit}"
    return f"{_figures(seconds * 1e6)} µs"


def size(count: float) -> str:
    """Bytes in the unit that fits, a thousand at a time: `913 kB`, `18.6 MB`."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= 0.9995 * factor:
            return f"{_figures(count / factor)} {unit}"
    return f"{count:.0f} B"


def p_value(p: float) -> str:
    """Two figures, and `<0.001` below that."""
    return "<0.001" if p < 0.001 else f"{p:.2g}"


def _figures(value: float) -> str:
    """Three of them."""
    return (
        f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
    )
