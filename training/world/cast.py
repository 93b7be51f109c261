"""The people and houses that every province has: roles, generations, who founds what."""

from __future__ import annotations

# role -> birth years, one person per span. The oldest founded the schools, the last are alive.
CAST = {
    "scholar": ((1746, 1752),),
    "printer": ((1806, 1812), (1811, 1817)),
    "shipwright": ((1804, 1811),),
    "collector": ((1815, 1825),),
    "astronomer": ((1826, 1834),),
    "writer": ((1814, 1826), (1828, 1838), (1850, 1858), (1859, 1866)),
    "engineer": ((1820, 1828), (1848, 1854), (1855, 1866)),
    "instrument maker": ((1812, 1822), (1846, 1852), (1853, 1862)),
    "explorer": ((1822, 1828), (1847, 1853), (1854, 1864)),
    "captain": ((1822, 1830), (1844, 1850), (1851, 1860)),
    "painter": ((1824, 1832), (1849, 1862)),
    "official": tuple((1955, 1987) for _ in range(16)),
}
FOUNDERS = {  # kind of organisation -> (role, index) of its founder, years of founding
    "academy": ("scholar", 0, (1781, 1796)),
    "press": ("printer", 0, (1838, 1844)),
    "shipyard": ("shipwright", 0, (1836, 1846)),
    "museum": ("collector", 0, (1858, 1868)),
    "society": ("explorer", 0, (1852, 1860)),
    "observatory": ("astronomer", 0, (1864, 1876)),
    "ferry line": ("captain", 1, (1882, 1898)),
    "library": ("printer", 1, (1846, 1853)),
}
NAMED = {
    "academy": "{} Academy",
    "shipyard": "{} Yard",
    "museum": "{} Museum",
    "society": "{} Geographical Society",
    "observatory": "{} Observatory",
    "ferry line": "{} Ferry Line",
    "library": "{} Library",
}
