"""What a new post takes, and what it refuses."""

import pytest
from pydantic import ValidationError

from dto.post_dto import CreatePostDto

MAX_ID = 2**53 - 1


def faults(body):
    """The fields that are refused."""
    with pytest.raises(ValidationError) as caught:
        CreatePostDto.model_validate(body)
    return {fault["loc"][0] for fault in caught.value.errors()}


@pytest.mark.parametrize(
    "text",
    ["a", " a ", "Привет, gophers! 🐹", "two\nlines", "<b>100%</b>", "a" * 280, "🐹" * 280],
    ids=lambda text: ascii(text)[:20],
)
def test_a_text_of_1_to_280_characters_is_kept_as_it_is(text):
    assert CreatePostDto(text=text).text == text


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u200b", "a" * 281, "🐹" * 281, "a\0", "a\ud800", None, 7],
    ids=lambda text: ascii(text)[:20],
)
def test_other_texts_are_refused(text):
    assert faults({"text": text}) == {"text"}


def test_a_text_is_required():
    assert faults({}) == {"text"}


@pytest.mark.parametrize("reply_to_id", [None, 0, 1, MAX_ID])
def test_a_reply_names_its_post(reply_to_id):
    assert CreatePostDto(text="Hi", reply_to_id=reply_to_id).reply_to_id == reply_to_id


@pytest.mark.parametrize(
    "reply_to_id", [-1, MAX_ID + 1, 2**64, 2**63 - 1, 1.5, "1", "1.0", "", True, False, [], {}]
)
def test_what_is_no_id_is_refused(reply_to_id):
    assert faults({"text": "Hi", "reply_to_id": reply_to_id}) == {"reply_to_id"}


@pytest.mark.parametrize(("written", "number"), [("1.0", 1), ("0.0", 0), ("1e3", 1000)])
def test_a_whole_number_is_one_however_json_writes_it(written, number):
    dto = CreatePostDto.model_validate_json(f'{{"text": "Hi", "reply_to_id": {written}}}')

    assert dto.reply_to_id == number
    assert type(dto.reply_to_id) is int


@pytest.mark.parametrize("written", ["true", "false", '"1"', '"1.0"', "1.5", str(MAX_ID + 1)])
def test_what_json_writes_otherwise_is_refused(written):
    with pytest.raises(ValidationError) as caught:
        CreatePostDto.model_validate_json(f'{{"text": "Hi", "reply_to_id": {written}}}')

    assert [fault["loc"] for fault in caught.value.errors()] == [("reply_to_id",)]


@pytest.mark.parametrize("field", ["id", "user_id", "likes_count", "created_at", "user"])
def test_unknown_fields_are_refused(field):
    assert faults({"text": "Hi", field: 1}) == {field}
