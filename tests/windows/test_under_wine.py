"""The suites that make sense on Windows, run as one by a CPython for Windows; and an MSI updated and taken back.

What Wine cannot show stands in the README: links, a directory renamed around an open file, recovery after a crash.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from support import msi
from support.wine import WindowsPython, windows_path

pytestmark = [pytest.mark.rig("wine_python"), pytest.mark.timeout(1200)]

_LIMIT = timedelta(minutes=12)  # for all of them; a minute on an idle machine
_SUITES = (
    "tests/unit/formats",
    "tests/unit/install/test_integrity.py",
    "tests/unit/install/test_msi.py",
    "tests/unit/install/test_msi_real.py",
    "tests/unit/install/test_pointer.py",
    "tests/unit/install/test_slots.py",
    "tests/unit/install/test_sweep.py",
    "tests/unit/daemon/test_windows.py",
    "tests/unit/health/test_updater.py",
    "tests/unit/service/test_registration_windows.py",
    "tests/unit/service/test_registration_windows_real.py",
    "tests/unit/service/test_windows.py",
    "tests/unit/service/test_windows_real.py",
    "tests/unit/system/test_windows_access.py",
    "tests/unit/system/test_ending.py",
    "tests/unit/system/test_local_line.py",
    "tests/unit/system/test_local_pipe.py",
    "tests/unit/system/test_faults.py",
    "tests/unit/system/test_file_holders.py",
    "tests/unit/system/test_files.py",
    "tests/unit/system/test_template.py",
    "tests/unit/wiring/test_self_update.py",
)
# What decides, what every adapter holds to, and what talks to servers: the same everywhere, and longer than the rest.
_FURTHER = (
    *("tests/unit/lifecycle", "tests/lifecycle", "tests/contract", "tests/unit/pins", "tests/unit/sources"),
    *("tests/unit/vendors", "tests/unit/report", "tests/unit/trust/test_engines.py", "tests/unit/trust/test_marks.py"),
    *("tests/unit/trust/test_tuf_chain.py", "tests/unit/gates/test_fleet_lock.py", "tests/unit/gates/test_window.py"),
    *("tests/unit/gates/test_codearts_pool.py", "tests/unit/gates/test_codearts_run.py"),
)
_LEFT_OUT = {
    "links, which need a privilege on Windows and do not work under Wine": (
        "tests/unit/trust/test_engines.py::test_a_cache_that_cannot_be_used_is_set_aside_and_the_marks_still_hold[a folder for a file]",  # noqa: E501 - a name
        "tests/unit/install/test_integrity.py::test_a_link_or_a_directory_in_the_place_of_a_file_is_damage",
        "tests/unit/install/test_integrity.py::test_what_was_added_is_named_and_does_not_make_the_build_itself_damaged",
        "tests/unit/install/test_pointer.py::test_a_link_that_an_earlier_run_left_half_made_is_replaced",
        "tests/unit/install/test_pointer.py::test_a_link_that_others_made_is_neither_followed_nor_replaced",
        "tests/unit/install/test_pointer.py::test_the_link_is_relative_so_that_the_root_may_be_moved",
        "tests/unit/install/test_slots.py::test_a_damaged_slot_of_the_same_build_is_set_aside_and_swept",
        "tests/unit/install/test_slots.py::test_a_link_inside_is_part_of_the_slot_where_the_policy_has_links",
        "tests/unit/install/test_slots.py::test_a_link_to_an_incomplete_slot_is_no_current_version",
        "tests/unit/install/test_slots.py::test_a_staged_and_activated_build_is_current_and_every_byte_is_noted[link]",
        "tests/unit/install/test_slots.py::test_activating_again_is_harmless[link]",
        "tests/unit/install/test_sweep.py::test_a_slot_that_any_link_of_the_root_leads_into_stays",
        "tests/unit/install/test_sweep.py::test_as_many_slots_stay_as_keep_grants_the_newest_of_them",
        "tests/unit/install/test_sweep.py::test_what_is_linked_and_what_is_kept_stays_and_the_rest_goes",
        "tests/unit/system/test_files.py::test_a_link_in_the_place_of_a_directory_is_not_synced_through",
        "tests/unit/system/test_files.py::test_a_new_name_is_never_one_that_is_taken",
    ),
    "permission bits, which Windows has not": (
        "tests/unit/install/test_slots.py::test_a_single_program_becomes_a_slot_under_one_name",
        "tests/unit/install/test_slots.py::test_the_root_is_open_to_the_agent_and_the_private_part_is_not",
        "tests/unit/system/test_files.py::test_a_durable_write_replaces_the_whole_file_with_the_asked_mode",
        "tests/unit/system/test_files.py::test_missing_directories_are_made_and_present_ones_keep_their_mode",
        "tests/unit/report/test_spool.py::test_a_document_is_for_its_owner_alone",
        "tests/unit/trust/test_engines.py::test_the_cache_is_private_and_holds_metadata_alone",
        "tests/unit/vendors/test_huawei_auth.py::test_a_cached_token_that_cannot_be_relied_on_is_passed_over[exposed]",
    ),
    "calls and paths of POSIX alone": (
        "tests/unit/install/test_integrity.py::test_a_missing_file_and_a_missing_directory_are_damage",
        "tests/unit/install/test_sweep.py::test_a_slot_that_a_live_process_runs_from_stays_until_it_ends",
        "tests/unit/install/test_sweep.py::test_leftovers_of_unfinished_steps_go_and_foreign_things_stay",
        "tests/unit/system/test_files.py::test_a_c_library_without_syncfs_syncs_everything",
        "tests/unit/system/test_files.py::test_a_write_that_failed_in_the_background_is_reported_by_the_sync",
        "tests/unit/system/test_template.py::test_a_program_within_the_slot_belongs_to_the_agent",
        "tests/unit/system/test_template.py::test_every_word_is_filled_in_and_an_argument_stays_one",
        "tests/unit/system/test_template.py::test_what_is_filled_in_is_not_looked_at_again",
    ),
}


def test_the_suites_that_make_sense_on_windows_pass_there(windows_python: WindowsPython, tmp_path: Path) -> None:
    for version, kind in (("1.0.0", "acme"), ("2.0.0", "acme"), ("3.0.0", "failing")):
        msi.make(tmp_path, version, kind)
    _pass(windows_python, _SUITES, {"PAWLD_MSI_PACKAGES": windows_path(tmp_path)})


@pytest.mark.long
@pytest.mark.parametrize("suite", _FURTHER)
def test_whatever_decides_and_every_contract_is_the_same_there(windows_python: WindowsPython, suite: str) -> None:
    _pass(windows_python, [suite], {})


def _pass(windows_python: WindowsPython, suites: Sequence[str], environment: Mapping[str, str]) -> None:
    words = [*suites, *(f"--deselect={one}" for names in _LEFT_OUT.values() for one in names)]
    finished = windows_python.run(
        ["-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "--timeout=120", *words],
        limit=_LIMIT,
        environment={**environment, "PAWLD_REQUIRE_RIGS": ""},
    )
    assert finished.ok, finished.output[-8000:]
    assert " passed" in finished.output
