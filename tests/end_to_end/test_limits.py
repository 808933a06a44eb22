"""Limits of the configuration that a build must keep to, whatever its record says."""

from support.standing_host import OLD, StandingHost


def test_a_build_larger_than_the_configuration_allows_is_refused_before_it_is_fetched(host: StandingHost) -> None:
    host.config = host.config.replace("[updater]", '[updater]\nmax_build = "100KiB"')
    asked = len(host.web.asked)
    said = host.pawld("update")
    assert (said.exit, said.reason["code"]) == (65, "record_invalid")
    assert "102400" in said.reason["message"]
    assert "max_build" in said.reason["message"]
    assert not any("/download" in one for one in host.web.asked[asked:])


def test_a_build_that_does_not_qualify_in_time_is_refused_and_blocked(host: StandingHost) -> None:
    slow = 'qualify = ["/bin/sh", "-c", "sleep 30"]\nqualify_timeout = "1s"'
    host.config = host.config.replace('reserve = "1MiB"', f'reserve = "1MiB"\n{slow}')
    said = host.pawld("update")
    assert (said.exit, said.reason["code"]) == (65, "qualification_failed")
    assert "1 s" in said.reason["message"]
    (agent,) = said.document["agents"]
    assert [one["cause"] for one in agent["blocked"]] == ["qualification_failed"]
    assert [one.partition("-")[0] for one in agent["slots"]] == [OLD]
