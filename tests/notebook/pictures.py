"""Reads the pictures of cards back: which values they show."""

import base64
import re

SIDE = 1000


def pictures(shown):
    """The SVG of every picture in some HTML."""
    return [base64.b64decode(data).decode() for data in re.findall(r"image/svg\+xml;base64,([^\"]+)", shown)]


def paths(shown, **wanted):
    """The points of the lines in every picture, of those whose attributes are the wanted ones."""
    signs = [f'{name}="{value}"' for name, value in wanted.items()]
    return [
        [
            [tuple(map(float, point.split())) for point in path.split("L")]
            for path, rest in re.findall(r'<path d="M([\d. L]+)"([^>]*)', picture)
            if all(sign in rest for sign in signs)
        ]
        for picture in pictures(shown)
    ]


def areas(shown, *, top, low=0):
    """The values that the areas show, whose axis goes from ``low`` to ``top``."""
    found = [area for picture in pictures(shown) for area in re.findall(r'd="M([\d. L]+)Z"', picture)]
    points = [[tuple(map(float, point.split())) for point in area.split("L")][:-2] for area in found]
    return [[round(low + (top - low) * (1 - y / SIDE), 1) for _, y in line] for line in points]


def bars(shown, colour, *, top, low):
    """From where to where the bars of a colour go."""
    shapes = [d for picture in pictures(shown) for d in re.findall(rf'<path d="([^"]+)" fill="{colour}"/>', picture)]
    ends = [each for shape in shapes for each in re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)H", shape)]
    found = [[round(low + (top - low) * (1 - float(y) / SIDE), 1) + 0.0 for y in each] for each in ends]
    return [(min(each), max(each)) for each in found]


def axes(shown):
    """The smallest and the largest number of the axis of every chart."""
    found = [re.findall(r"line-height:16px;[^>]*>([^<]+)<", chart) for chart in shown.split("<img")]
    numbers = [[float(each.replace(",", "").replace("\N{MINUS SIGN}", "-")) for each in axis] for axis in found if axis]
    return [(min(axis), max(axis)) for axis in numbers]
