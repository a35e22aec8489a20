"""What YouTube's layouts share: addresses, durations, days as the trending tables write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from groundswell.platforms.udfs import times_reader

if TYPE_CHECKING:
    import ibis.expr.types as ir

WATCH: Final = "https://www.youtube.com/watch?v="
CHANNEL: Final = "https://www.youtube.com/channel/"

#: ISO 8601 without years and months, which no video has: `PT1H2M3S`, `P1DT2H`.
_DURATION: Final = "^P([0-9]{1,6}W)?([0-9]{1,6}D)?(T([0-9]{1,6}H)?([0-9]{1,6}M)?([0-9]{1,9}([.][0-9]+)?S)?)?$"
_SECONDS: Final = (("W", 604_800), ("D", 86_400), ("H", 3600), ("M", 60), ("S", 1))

#: `17.14.11` (year, day, month, as the tables of 2017 to 2020), `17.11.14` where the day cannot be a month.
_YEAR_DAY_MONTH: Final = "^([0-9]{2})[.]([0-9]{2})[.](0[1-9]|1[0-2])$"
_YEAR_MONTH_DAY: Final = "^([0-9]{2})[.]([0-9]{2})[.]([0-9]{2})$"
_WHOLE_YEAR: Final = "^([0-9]{4})[.]([0-9]{1,2})[.]([0-9]{1,2})$"

#: Resources of the Data API that are neither videos nor channels nor comments, and what they are.
OTHER_KINDS: Final = {
    "youtube#playlist": "a playlist, not a video",
    "youtube#subscription": "a subscription, not a video",
    "youtube#videoCategory": "a category, not a video",
    "youtube#guideCategory": "a category, not a video",
    "youtube#activity": "an activity, not a video",
    "youtube#caption": "a caption track, not a video",
    "youtube#channelSection": "a section of a channel's page, not a video",
    "youtube#i18nLanguage": "a language of the site, not a video",
    "youtube#i18nRegion": "a region of the site, not a video",
    "youtube#videoAbuseReportReason": "a reason for reports, not a video",
}


def seconds(duration: ir.StringValue) -> ir.FloatingValue:
    """The length of an ISO 8601 duration in seconds; null where it is none."""
    total: ir.IntegerValue = ibis.literal(0, "int64")
    for letter, unit in _SECONDS:
        part = duration.re_extract(f"([0-9]+)([.][0-9]+)?{letter}", 1).try_cast("int64")
        total = total + ibis.coalesce(part, 0) * unit
    is_one = duration.re_search(_DURATION) & duration.re_search("[0-9]")
    return ibis.cases((is_one, total.cast("float64")))


def trending_day(written: ir.StringValue) -> ir.IntegerValue:
    """A day (`17.14.11`, `2020.8.12`) at 00:00 UTC or a written time, in microseconds."""
    century = ibis.literal("20")
    iso = ibis.cases(
        (written.re_search(_YEAR_DAY_MONTH), _day(century, written, _YEAR_DAY_MONTH, (1, 3, 2))),
        (written.re_search(_YEAR_MONTH_DAY), _day(century, written, _YEAR_MONTH_DAY, (1, 2, 3))),
        (written.re_search(_WHOLE_YEAR), _day(ibis.literal(""), written, _WHOLE_YEAR, (1, 2, 3))),
        else_=written,
    )
    return times_reader("UTC")(iso)


def _day(
    century: ir.StringValue, written: ir.StringValue, pattern: str, groups: tuple[int, int, int]
) -> ir.StringValue:
    year, month, day = (written.re_extract(pattern, group) for group in groups)
    return century + year + "-" + month + "-" + day
