"""What strangers say is shown without what a terminal would act on."""

from pawld.system.words import printable


def test_what_a_terminal_would_act_on_becomes_question_marks_and_the_rest_stays() -> None:
    assert printable("Größe\x1b[2J \u202e\r\n!", 100) == "Größe?[2J ???!"


def test_no_more_is_shown_than_asked_for() -> None:
    assert printable("x" * 5000, 512) == "x" * 512
