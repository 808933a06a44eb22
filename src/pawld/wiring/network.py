"""The one HTTP client, and how each vendor is signed in to."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pawld.settings.sources import Auth as AuthSettings
from pawld.settings.sources import KeyAuth as KeySettings
from pawld.settings.sources import TokenAuth as TokenSettings
from pawld.settings.updater import Updater
from pawld.system.http import Web
from pawld.vendors.api import Auth
from pawld.wiring.walls import walls_of

Now = Callable[[], datetime]


def web_of(updater: Updater) -> Web:
    """Return the client that everything on this host shares; its work is done behind walls where there are any."""
    walls = walls_of(updater)
    if walls is None:
        return Web(proxy=updater.proxy, ca_file=updater.ca_file, stall=updater.stall)
    from pawld.system.http.walled import WalledWeb

    return WalledWeb(walls, proxy=updater.proxy, ca_file=updater.ca_file, stall=updater.stall)


def auth_of(settings: AuthSettings, web: Web, now: Now, cache: Path) -> Auth:
    """Return how the Huawei services are signed in to; a token that was fetched is kept in *cache*."""
    if isinstance(settings, TokenSettings):
        from pawld.vendors.huawei_auth import TokenAuth

        return TokenAuth(settings.token)
    if isinstance(settings, KeySettings):
        from pawld.vendors.huawei_auth import KeyAuth

        return KeyAuth(settings.access_key, settings.secret_key, now, security_token=settings.security_token)
    from pawld.vendors.huawei_password import PasswordAuth

    return PasswordAuth(
        web,
        settings.iam_url,
        settings.domain,
        settings.user,
        settings.password,
        now,
        project=settings.project,
        cache=cache,
    )
