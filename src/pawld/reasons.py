"""Every reason that pawld gives, with its exit code, its cause class and the next step.

This is the one enum that status, logs, metrics, webhooks and exit codes share. A code is stable once released:
other programs match on it. The sentence that goes with it is made where the facts are known.
"""

from datetime import UTC, datetime
from enum import Enum, IntEnum, unique


@unique
class Exit(IntEnum):
    """What the process answers to the shell; after sysexits.h where it has a word for it."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    ROLLED_BACK = 3
    REFUSED = 65
    NO_BUILD = 69
    TRY_LATER = 75
    NOT_PERMITTED = 77
    CONFIGURATION = 78
    UPDATE_AVAILABLE = 100


@unique
class Cause(Enum):
    """Whose fault it is. Only a build is ever blocked for a fault, and only for a fault of its own."""

    NONE = "none"
    BUILD = "build"
    HOST = "host"
    NETWORK = "network"
    OPERATOR = "operator"
    PUBLISHER = "publisher"


_WAIT = "Nothing to do: pawld asks again by itself."
_CONFIG = "Correct the configuration, then run `pawld doctor`."
_VENDOR = "Report it to the vendor of the agent; nothing was changed on this host."
_HOST = "Mend the host, then run `pawld update`."
_ATTACK = "Treat it as an attack until it is explained: tell the vendor, and compare with another network."
_KEYS = (
    "See that the configured root or keys are this publisher's; if they are, treat it as an attack: tell the vendor."
)


class Reason(Enum):
    """A stable reason code. ``exit`` and ``next_step`` go with the code, not with the occasion."""

    # How a cycle ends well, or has nothing to do.
    IDLE = (
        "idle",
        Exit.DONE,
        Cause.NONE,
        "Nothing to do: pawld looks by itself where it runs; `pawld check` looks now.",
    )
    UP_TO_DATE = ("up_to_date", Exit.DONE, Cause.NONE, _WAIT)
    UPDATED = ("updated", Exit.DONE, Cause.NONE, _WAIT)
    UPDATE_AVAILABLE = ("update_available", Exit.UPDATE_AVAILABLE, Cause.NONE, "Run `pawld update`.")
    IN_PROGRESS = ("in_progress", Exit.DONE, Cause.NONE, _WAIT)
    ON_PROBATION = ("on_probation", Exit.DONE, Cause.NONE, _WAIT)
    RECOVERED = ("recovered", Exit.DONE, Cause.NONE, _WAIT)
    INTERRUPTED = ("interrupted", Exit.TRY_LATER, Cause.HOST, "Run `pawld recover`.")

    # The decision says: not this, or not yet.
    NO_BUILD = (
        "no_build_for_platform",
        Exit.NO_BUILD,
        Cause.PUBLISHER,
        "Correct product, channel or [agents.NAME.platform], or ask the vendor for a build.",
    )
    UNKNOWN_PLATFORM = (
        "unknown_platform",
        Exit.CONFIGURATION,
        Cause.HOST,
        "Name the platform in [agents.NAME.platform], and report what was seen.",
    )
    BUILD_BLOCKED = (
        "build_blocked",
        Exit.DONE,
        Cause.BUILD,
        "Wait for a newer release, or lift it with `pawld unblock`.",
    )
    DOWNGRADE_REFUSED = (
        "downgrade_refused",
        Exit.REFUSED,
        Cause.OPERATOR,
        "If it is meant, set allow_downgrade = true on the pin.",
    )
    BELOW_SECURITY_FLOOR = (
        "below_security_floor",
        Exit.REFUSED,
        Cause.PUBLISHER,
        "Pin a version at or above the signed floor.",
    )
    NOT_DEPLOYED = ("not_deployed", Exit.DONE, Cause.NONE, _WAIT)
    NOT_CONFIRMED = (
        "not_confirmed",
        Exit.TRY_LATER,
        Cause.OPERATOR,
        "Confirm the deployment at the campaign server; pawld never does so by itself.",
    )
    NOT_IN_ROLLOUT = ("not_in_rollout", Exit.DONE, Cause.NONE, _WAIT)
    ROLLOUT_PAUSED = ("rollout_paused", Exit.DONE, Cause.PUBLISHER, _WAIT)
    CHANNEL_HALTED = ("channel_halted", Exit.DONE, Cause.PUBLISHER, _WAIT)
    BUILD_WITHDRAWN = ("build_withdrawn", Exit.DONE, Cause.PUBLISHER, "Wait for the release that replaces it.")
    NOT_BEFORE = ("not_before", Exit.DONE, Cause.PUBLISHER, _WAIT)
    STEP_NEEDED = (
        "intermediate_version_needed",
        Exit.REFUSED,
        Cause.PUBLISHER,
        "Pin the version that the sentence names first.",
    )
    UPDATER_TOO_OLD = ("updater_too_old", Exit.REFUSED, Cause.HOST, "Update pawld itself first.")
    PIN_UNSATISFIED = ("pin_unsatisfied", Exit.TRY_LATER, Cause.OPERATOR, "Publish the pinned version, or pin another.")
    ATTEMPTS_EXHAUSTED = (
        "attempts_exhausted",
        Exit.TRY_LATER,
        Cause.BUILD,
        "Look at `pawld history`; `pawld unblock` starts anew.",
    )

    # Gates.
    OUTSIDE_WINDOW = ("outside_window", Exit.TRY_LATER, Cause.NONE, _WAIT)
    HOST_BUSY = ("host_busy", Exit.TRY_LATER, Cause.NONE, _WAIT)
    RUN_IN_PROGRESS = ("run_in_progress", Exit.TRY_LATER, Cause.NONE, _WAIT)
    RUN_UNKNOWN = ("run_unknown", Exit.TRY_LATER, Cause.NONE, "Look at the run in the vendor's console.")
    POOL_OUT_OF_SCOPE = ("pool_out_of_scope", Exit.TRY_LATER, Cause.OPERATOR, "Select the pool, or change the gate.")
    LOCK_HELD = ("lock_held", Exit.TRY_LATER, Cause.NONE, _WAIT)
    ON_BATTERY = ("on_battery", Exit.TRY_LATER, Cause.HOST, "Plug the host in.")
    GATE_BROKEN = ("gate_broken", Exit.TRY_LATER, Cause.OPERATOR, "Mend what the gate asks, then run `pawld update`.")
    DEFERRED_TOO_LONG = (
        "deferred_too_long",
        Exit.TRY_LATER,
        Cause.OPERATOR,
        "Open the gate that the sentence names, or use `pawld update --force`.",
    )

    # The network and the vendors' interfaces.
    UNREACHABLE = ("unreachable", Exit.TRY_LATER, Cause.NETWORK, "Check network and proxy with `pawld doctor`.")
    NAME_NOT_RESOLVED = ("name_not_resolved", Exit.TRY_LATER, Cause.NETWORK, "Check DNS and the host name.")
    TLS_FAILED = ("tls_failed", Exit.TRY_LATER, Cause.NETWORK, "Check the certificate, the clock and ca_file.")
    TIMED_OUT = ("timed_out", Exit.TRY_LATER, Cause.NETWORK, _WAIT)
    TRANSFER_STALLED = ("transfer_stalled", Exit.TRY_LATER, Cause.NETWORK, _WAIT)
    TRANSFER_CUT = (
        "transfer_cut",
        Exit.TRY_LATER,
        Cause.NETWORK,
        "Nothing to do: the part that came is kept and resumed.",
    )
    RATE_LIMITED = ("rate_limited", Exit.TRY_LATER, Cause.NETWORK, _WAIT)
    SERVER_ERROR = ("server_error", Exit.TRY_LATER, Cause.NETWORK, _WAIT)
    BAD_REQUEST = ("bad_request", Exit.CONFIGURATION, Cause.OPERATOR, _CONFIG)
    UNAUTHORIZED = ("unauthorized", Exit.NOT_PERMITTED, Cause.OPERATOR, "Replace the token that the sentence names.")
    FORBIDDEN = ("forbidden", Exit.NOT_PERMITTED, Cause.OPERATOR, "Ask the vendor to allow this account.")
    CREDENTIAL_CLOCK = (
        "credential_clock_skew",
        Exit.NOT_PERMITTED,
        Cause.HOST,
        "Set this host's clock; the gateway takes at most 15 minutes of skew.",
    )
    NOT_FOUND = (
        "not_found",
        Exit.TRY_LATER,
        Cause.PUBLISHER,
        "Check channel, version and URL.",
    )
    ANSWER_NOT_UNDERSTOOD = (
        "answer_not_understood",
        Exit.TRY_LATER,
        Cause.PUBLISHER,
        "Check base_url; report it to the vendor.",
    )
    NO_ADDRESS = ("no_address", Exit.TRY_LATER, Cause.PUBLISHER, _VENDOR)
    PIN_AMBIGUOUS = (
        "pin_ambiguous",
        Exit.CONFIGURATION,
        Cause.OPERATOR,
        "Make the identifier unique, or set allow_ambiguous.",
    )
    PIN_NOT_FOR_HOST = (
        "pin_not_for_this_host",
        Exit.CONFIGURATION,
        Cause.OPERATOR,
        "Pin a version made for this system.",
    )
    REDIRECT_REFUSED = ("redirect_refused", Exit.REFUSED, Cause.PUBLISHER, _VENDOR)
    REDIRECT_LOOP = ("redirect_loop", Exit.TRY_LATER, Cause.PUBLISHER, _VENDOR)
    ENCODING_REFUSED = ("encoding_refused", Exit.REFUSED, Cause.PUBLISHER, _VENDOR)

    # Trust.
    LENGTH_MISMATCH = ("length_mismatch", Exit.REFUSED, Cause.PUBLISHER, _ATTACK)
    DIGEST_MISMATCH = ("digest_mismatch", Exit.REFUSED, Cause.PUBLISHER, _ATTACK)
    SIGNATURE_INVALID = ("signature_invalid", Exit.REFUSED, Cause.PUBLISHER, _KEYS)
    THRESHOLD_NOT_MET = ("threshold_not_met", Exit.REFUSED, Cause.PUBLISHER, _KEYS)
    PATCH_FAILED = (
        "patch_failed",
        Exit.TRY_LATER,
        Cause.PUBLISHER,
        "Nothing to do: the full build is used in its place.",
    )
    METADATA_UNTRUSTED = ("metadata_untrusted", Exit.REFUSED, Cause.PUBLISHER, _ATTACK)
    METADATA_FROZEN = (
        "metadata_frozen",
        Exit.REFUSED,
        Cause.PUBLISHER,
        "The publisher must refresh the signed metadata.",
    )
    METADATA_STALE = (
        "metadata_stale",
        Exit.TRY_LATER,
        Cause.PUBLISHER,
        "Find out why no good refresh came for so long.",
    )
    ROLLBACK_SUSPECTED = ("rollback_suspected", Exit.REFUSED, Cause.PUBLISHER, _ATTACK)
    CLOCK_SUSPECT = ("clock_suspect", Exit.REFUSED, Cause.HOST, "Set this host's clock.")
    RECORD_INVALID = ("record_invalid", Exit.REFUSED, Cause.PUBLISHER, _VENDOR)
    RECORD_MISMATCH = ("record_mismatch", Exit.REFUSED, Cause.PUBLISHER, _ATTACK)
    SOURCE_DISAGREES = (
        "source_disagrees",
        Exit.REFUSED,
        Cause.PUBLISHER,
        "Wait until source and record name the same release.",
    )
    EVIDENCE_MISSING = ("evidence_missing", Exit.REFUSED, Cause.PUBLISHER, _VENDOR)
    EVIDENCE_NOT_CHECKED = (
        "evidence_not_checked",
        Exit.CONFIGURATION,
        Cause.HOST,
        "Install or configure what the sentence names, or demand other evidence; then run the command again.",
    )

    # Staging, swap and health.
    DISK_FULL = ("disk_full", Exit.TRY_LATER, Cause.HOST, "Free the space that the sentence names.")
    PERMISSION_DENIED = (
        "permission_denied",
        Exit.NOT_PERMITTED,
        Cause.HOST,
        "Run pawld as root, or correct the owner.",
    )
    READ_ONLY = ("read_only", Exit.TRY_LATER, Cause.HOST, _HOST)
    IO_FAILED = ("io_failed", Exit.TRY_LATER, Cause.HOST, _HOST)
    FILE_IN_USE = ("file_in_use", Exit.TRY_LATER, Cause.HOST, "Close the program that holds the file.")
    UPDATER_BUSY = ("updater_busy", Exit.TRY_LATER, Cause.NONE, "Wait for the other pawld to end.")
    PACKAGE_MANAGER_BUSY = ("package_manager_busy", Exit.TRY_LATER, Cause.HOST, _WAIT)
    NEEDS_REBOOT = ("needs_reboot", Exit.TRY_LATER, Cause.HOST, "Reboot this host when it suits.")
    OWNED_BY_OTHERS = ("owned_by_others", Exit.CONFIGURATION, Cause.OPERATOR, _CONFIG)
    ARCHIVE_REFUSED = ("archive_refused", Exit.REFUSED, Cause.BUILD, _VENDOR)
    READER_FAILED = (
        "reader_failed",
        Exit.TRY_LATER,
        Cause.PUBLISHER,
        "Look at memory and limits with `pawld doctor`; if it stays, report it to the vendor.",
    )
    WRONG_EXECUTABLE = ("wrong_executable", Exit.REFUSED, Cause.BUILD, _VENDOR)
    QUALIFICATION_FAILED = ("qualification_failed", Exit.REFUSED, Cause.BUILD, _VENDOR)
    INSTALLER_FAILED = ("installer_failed", Exit.REFUSED, Cause.BUILD, _VENDOR)
    SERVICE_FAILED = ("service_failed", Exit.TRY_LATER, Cause.HOST, "Look at the service's own log.")
    HEALTH_FAILED = ("health_failed", Exit.ROLLED_BACK, Cause.BUILD, "Look at the evidence; wait for a newer release.")
    ROLLED_BACK = ("rolled_back", Exit.ROLLED_BACK, Cause.BUILD, "Look at `pawld history` and the evidence.")
    OPERATOR_ROLLBACK = ("operator_rollback", Exit.DONE, Cause.OPERATOR, "Lift it with `pawld unblock`.")
    OPERATOR_BLOCK = ("operator_block", Exit.DONE, Cause.OPERATOR, "Lift it with `pawld unblock`.")
    NO_PREVIOUS_SLOT = (
        "no_previous_slot",
        Exit.TRY_LATER,
        Cause.HOST,
        "Install a release first: `pawld update`.",
    )
    SLOT_DAMAGED = ("slot_damaged", Exit.TRY_LATER, Cause.HOST, "Run `pawld recover`.")

    # Configuration, state, and what nobody foresaw.
    USAGE = ("usage", Exit.USAGE, Cause.OPERATOR, "See `pawld --help`.")
    CONFIG_INVALID = ("config_invalid", Exit.CONFIGURATION, Cause.OPERATOR, _CONFIG)
    CONFIG_MISSING = (
        "config_missing",
        Exit.CONFIGURATION,
        Cause.OPERATOR,
        "Write the file, or name another: the configuration by --config, any other in it.",
    )
    SECRET_MISSING = ("secret_missing", Exit.CONFIGURATION, Cause.OPERATOR, "Put the secret where the sentence says.")
    SECRET_EXPOSED = (
        "secret_exposed",
        Exit.CONFIGURATION,
        Cause.OPERATOR,
        "Run `chmod 600` on the file, and replace the secret.",
    )
    STATE_QUARANTINED = (
        "state_quarantined",
        Exit.DONE,
        Cause.HOST,
        "Nothing to do: it was rebuilt from what is on disk.",
    )
    UNEXPECTED = ("unexpected", Exit.UNEXPECTED, Cause.HOST, "Report it with the output of `pawld -v`.")

    def __init__(self, code: str, exit_code: Exit, cause: Cause, next_step: str) -> None:
        """Unpack the row; ``code`` is what other programs see."""
        self.code = code
        self.exit = exit_code
        self.cause = cause
        self.next_step = next_step

    @classmethod
    def of(cls, code: str) -> "Reason":
        """Return the reason with this code; ``KeyError`` where no release ever had it."""
        return _BY_CODE[code]

    def document(self, message: str, retry_at: datetime | None = None) -> dict[str, str | None]:
        """Return it with the sentence of the occasion, as every JSON document of ours shows a reason."""
        retry = retry_at.astimezone(UTC).isoformat() if retry_at else None
        return {"code": self.code, "message": message, "next_step": self.next_step, "retry_at": retry}


_BY_CODE = {reason.code: reason for reason in Reason}
