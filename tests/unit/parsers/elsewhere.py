"""What makes values of texts and is no parser of what others write, each with whose texts it reads."""

from __future__ import annotations

TRUSTED = {
    "rows that the service wrote into its own database": (
        "services/*/store/*",
        "services/intake/domain/anomalies/alarms.py:Watch.from_data",
        "services/intake/domain/anomalies/streams.py:Stream.from_data",
        "services/intake/domain/history.py:read_change",
        "services/intake/handlers/validation.py:Examined.doubted",
        "services/intake/api/answers.py:_whole",
        "services/intake/api/submit.py:headers_of",
        "services/notifier/api/customers.py:*.of",
        "services/notifier/api/notices.py:notices_router.<locals>.*",
        "services/notifier/domain/wording/reading.py:read_mail",
        "services/sla_timer/api/finding.py:sees_merged",
        "services/sla_timer/handlers/preview.py:PreviewJob.of",
    ),
    "no text: it makes a UUID of octets, or a mail": (
        "services/sla_timer/domain/clocks.py:clock_id",
        "services/notifier/handlers/writing.py:Writer.write",
    ),
    "an address that was judged before it was kept": (
        "punctual/local/issuer/authorizing.py:Desk._page",
        "shared/http/access/issuer.py:IssuerKeys._ask",
    ),
    "what only the services could have encrypted": ("shared/encryption/contact_details.py:ContactDetails.decrypt",),
    "settings, which end the program with what is wrong when it starts": (
        "shared/postgres/migrations.py:*",
        "shared/settings.py:PlatformSettings._is_json_object",
        "shared/testing/databases.py:_url",
    ),
    "files that the program itself wrote": (
        "punctual/bootstrap.py:stamps",
        "punctual/demo/journal.py:*",
        "punctual/local/business_clock.py:read_state",
        "punctual/local/folders.py:read_json",
        "punctual/local/issuer/s*.py:*.__init__",
        "punctual/local/mailcatcher/mailbox.py:*",
        "punctual/local/parts/jars.py:read_lock",
        "punctual/replay/target.py:Beginnings.recall",
        "punctual/staff/sign_ins.py:SignInFile._read",
    ),
    "what Punctual's services and programs answer to its own commands": (
        "punctual/channel/intake.py:IntakeClient.read_clock",
        "punctual/commands/config.py:_settings_of",
        "punctual/commands/contracts.py:committed_schemas",
        "punctual/commands/deadletter.py:_text",
        "punctual/demo/screen.py:*",
        "punctual/replay/settling.py:is_settled",
        "punctual/staff/connection.py:_line",
        "punctual/staff/describing.py:describe_api",
        "punctual/staff/issuer.py:Issuer._request",
        "punctual/staff/linting.py:_lint",
        "punctual/staff/words.py:instant",
    ),
    "ids of records it put aside itself": ("shared/inbox/deadletters.py:take_back",),
}
"""Whose texts -> patterns of functions."""
