"""HTML of the list and of one mail. Everything that came by mail is escaped here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from punctual.local.mailcatcher.mailbox import Entry
from punctual.local.mailcatcher.reading import ReadMail

LINKS_OPEN_OUTSIDE = '<base target="_blank">'

_URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)。，；：！？）]")
_FIRST_PAGE_REFRESH_SECONDS = 5

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--dim:#888;--accent:#0a6}
body{font:15px/1.5 system-ui,"Noto Sans CJK TC","PingFang TC","Microsoft JhengHei",sans-serif;max-width:70rem;
margin:1.5rem auto;padding:0 1rem}
h1{font-size:1.3rem}a{color:inherit}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
td.when{white-space:nowrap;color:var(--dim);font-variant-numeric:tabular-nums}
td.subject a{font-weight:600;text-decoration:none}td.subject a:hover{text-decoration:underline}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);border-radius:.4rem;padding:1rem;
font:inherit}
iframe{width:100%;height:32rem;border:1px solid var(--line);border-radius:.4rem;background:#fff}
form{margin:.5rem 0 1rem}input{font:inherit;padding:.3rem .5rem;width:min(28rem,70%)}
.dim{color:var(--dim)}nav{margin:1rem 0;display:flex;gap:1.5rem}
"""


def list_page(entries: Sequence[Entry], *, count: int, containing: str, has_older: bool, is_first: bool) -> str:
    """Newest first. The first page shows new mails by itself."""
    rows = "".join(
        f'<tr><td class="when">{_when(entry.received_at)}</td><td>{escape(", ".join(entry.to))}</td>'
        f'<td class="subject"><a href="/messages/{entry.id}">{escape(entry.subject) or "(no subject)"}</a></td></tr>'
        for entry in entries
    )
    search = f"&q={quote(containing)}" if containing else ""
    older = f'<a href="/?before={entries[-1].id}{search}" rel="next">Older</a>' if has_older else ""
    newest = "" if is_first else f'<a href="/?{search.lstrip("&")}">Newest</a>'
    nothing = '<p class="dim">No mail yet.</p>' if not entries else ""
    refresh = f'<meta http-equiv="refresh" content="{_FIRST_PAGE_REFRESH_SECONDS}">' if is_first else ""
    return _page(
        "Mail",
        f"""<h1>Mail <span class="dim">{count} kept, none delivered</span></h1>
<form><input type="search" name="q" value="{escape(containing)}" placeholder="subject, address or Message-ID"
aria-label="Search"></form>
<table><thead><tr><th>received (UTC)</th><th>to</th><th>subject</th></tr></thead><tbody>{rows}</tbody></table>{nothing}
<nav>{newest}{older}</nav>""",
        refresh,
    )


def mail_page(entry: Entry, mail: ReadMail) -> str:
    """Envelope, headers, the text with its links, the HTML part in a frame that can do nothing."""
    envelope = [
        ("received", f"{_when(entry.received_at)} UTC"),
        ("envelope from", escape(entry.mail_from) or "(nobody)"),
        ("envelope to", escape(", ".join(entry.to))),
    ]
    headers = [(escape(name), escape(value).replace("\n", "<br>")) for name, value in mail.headers]
    rows = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in [*envelope, *headers])
    text = f"<h2>Text</h2><pre>{_linked(mail.text)}</pre>" if mail.text is not None else ""
    html = (
        f'<h2>HTML</h2><iframe sandbox="allow-popups allow-popups-to-escape-sandbox" '
        f'src="/messages/{entry.id}/html" title="HTML part"></iframe>'
        if mail.html is not None
        else ""
    )
    attached = "".join(
        f"<li>{escape(a.name)} <span class='dim'>{escape(a.content_type)}, {a.size} bytes</span></li>"
        for a in mail.attachments
    )
    attachments = f"<h2>Attached</h2><ul>{attached}</ul>" if attached else ""
    return _page(
        escape(entry.subject) or "Mail",
        f"""<nav><a href="/">All mail</a><a href="/messages/{entry.id}/raw">As it came</a></nav>
<h1>{escape(entry.subject) or "(no subject)"}</h1>{text}{html}{attachments}<h2>Headers</h2><table>{rows}</table>""",
    )


def _page(title: str, body: str, head: str = "") -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width">{head}<style>{_STYLE}</style></head>'
        f"<body>{body}</body></html>"
    )


def _when(received_at: str) -> str:
    return escape(received_at[:19].replace("T", " "))


def _linked(text: str) -> str:
    pieces = []
    end = 0
    for found in _URL.finditer(text):
        url = escape(found.group())
        pieces.append(escape(text[end : found.start()]))
        pieces.append(f'<a href="{url}" target="_blank" rel="noopener noreferrer">{url}</a>')
        end = found.end()
    return "".join([*pieces, escape(text[end:])])
