"""HTML of the sign-in. Needs no script and loads nothing; everything a browser sent is escaped."""

from __future__ import annotations

import base64
import hashlib
from html import escape

_STYLE = """
:root{color-scheme:light dark;--line:#767676;--wrong:#b3261e;--go:#0b6b4f}
@media(prefers-color-scheme:dark){:root{--wrong:#ffb4ab;--go:#2e9e7b}}
body{font:1rem/1.5 system-ui,sans-serif;max-width:24rem;margin:10vh auto;padding:0 1rem}
h1{font-size:1.4rem}label{display:block;margin-top:1rem;font-weight:600}
input{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid var(--line);border-radius:.3rem}
button{font:inherit;font-weight:600;margin-top:1.5rem;padding:.6rem 1.4rem;border:0;border-radius:.3rem;
background:var(--go);color:#fff}
input:focus-visible,button:focus-visible{outline:3px solid var(--go);outline-offset:2px}
.wrong{border-left:4px solid var(--wrong);padding:.2rem .8rem;color:var(--wrong)}
"""

_WHERE = "<code>punctual up</code> tells the accounts of this local system, and where their passwords are."


def headers(*answered_at: str) -> dict[str, str]:
    """Of every page.

    Args:
        answered_at: origins that the form may lead to in the end; browsers look at where it is redirected, too.
    """
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    forms = " ".join(["'self'", *answered_at])
    policy = f"default-src 'none'; style-src 'sha256-{style}'; form-action {forms}"
    return {
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'; base-uri 'none'",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",  # with less, browsers leave out where a form was sent from
        "Cache-Control": "no-store",
    }


def sign_in_page(ticket: str, *, client_id: str, name: str = "", wrong: str = "") -> str:
    """Args:
    ticket: of the sign-in that waits.
    name: what was typed before.
    wrong: why it did not work, or "".
    """
    complaint = f'<p class="wrong" id="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    described = ' aria-describedby="wrong" aria-invalid="true"' if wrong else ""
    focus_name, focus_password = ("", " autofocus") if name else (" autofocus", "")
    return _page(
        "Error: sign in" if wrong else "Sign in",
        f"""<h1>Sign in to Punctual</h1>
<p>{escape(client_id)} asks who you are. {_WHERE}</p>{complaint}
<form method="post" action="/authorize">
<input type="hidden" name="ticket" value="{escape(ticket)}">
<label for="name">Account</label>
<input id="name" name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none" spellcheck="false"
required{described}{focus_name}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password"
required{described}{focus_password}>
<button type="submit">Sign in</button>
</form>""",
    )


def home_page() -> str:
    return _page(
        "Issuer",
        f"""<h1>The issuer of this local system</h1>
<p>Programs send you here to sign in, for example <code>punctual login</code>. {_WHERE}</p>""",
    )


def error_page(message: str) -> str:
    return _page("Error", f'<h1>This cannot go on</h1><p role="alert">{escape(message)}</p>')


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} - Punctual</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )
