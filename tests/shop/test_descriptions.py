"""Descriptions: what cleaning removes from HTML, and what it says of it."""

import pytest

from shop.actions.catalog.html import removed, sanitise


@pytest.mark.parametrize(
    ("html", "cleaned"),
    [
        ("<h1>A</h1><h2>B</h2>", "<h2>A</h2><h2>B</h2>"),
        ("<H1 class=x>A</H1 >", "<h2>A</h2>"),
        ("<h1>A", "<h2>A</h2>"),
        ("&lt;h1&gt; is a tag", "&lt;h1&gt; is a tag"),
        ('<a title="<h1>">A</a>', '<a title="<h1>" rel="noopener nofollow">A</a>'),
        ('<img alt="</h1>">', '<img alt="</h1>">'),
        ("<p><!-- <h1> -->A</p>", "<p>A</p>"),
        ("<h1>A <b>big</b> mug</h1>", "<h2>A <b>big</b> mug</h2>"),
        ("1 < 2 <h1>A</h1> 3 > 2", "1 &lt; 2 <h2>A</h2> 3 &gt; 2"),
        ("<h10>A</h10>", "A"),
    ],
)
def test_first_headings_become_second_ones(html: str, cleaned: str) -> None:
    assert (
        sanitise(html).replace('&lt;h1&gt;"', '<h1>"').replace('&lt;/h1&gt;"', '</h1>"') == cleaned
    )
    assert sanitise(sanitise(html)) == sanitise(html)


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("", ""),
        ("A & B", ""),
        ("<p>A<br/>B</p>", ""),
        ('<a href="/a" rel="nofollow">A</a>', ""),
        ("<P>A", ""),
        ("<script>x()</script>A", "removed script"),
        ("<p onclick='x()'>A</p>", "removed the attributes onclick"),
        (
            "<div class=a><p class=b style=c>A</p></div>",
            "removed the attributes class (2 times), style",
        ),
        ('<a href="javascript:x()">A</a>', "removed the attributes href"),
        ("<iframe src=x></iframe><form><input></form>", "removed iframe, form, input"),
        ("<p>A<!-- B --></p>", "removed a comment"),
        ("<h1>A</h1><h1>B</h1>", "h1 became h2"),
        (
            "<font color=red>A</font><h1 id=x>B</h1>",
            "removed font; removed the attributes id; h1 became h2",
        ),
        ("<td>A</td>", "removed td"),
        ("<!DOCTYPE html><o:p>A</o:p>", "removed o:p; removed a declaration"),
        ("".join(f"<x{n}>" for n in range(20)), None),
    ],
)
def test_what_is_removed_is_named(html: str, said: str | None) -> None:
    if said is None:
        said = "removed " + ", ".join(f"x{n}" for n in range(12)) + " and 8 more"
    assert removed(html, sanitise(html)) == said
    assert removed(sanitise(html), sanitise(html)) == ""
