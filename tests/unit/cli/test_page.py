from tests.support.cli_runner import coinfarm


def test_writes_one_file_for_any_api_or_for_one(tmp_path):
    anything, one = tmp_path / "any.html", tmp_path / "one.html"
    assert coinfarm("page", "-o", anything).exit_code == 0
    assert coinfarm("page", "-o", one, "--api-url", "https://api.example.com/v1").exit_code == 0
    assert "https://api.example.com/v1" in one.read_text()
    assert "https://api.example.com/v1" not in anything.read_text()


def test_nothing_is_written_for_an_invalid_url(tmp_path):
    assert coinfarm("page", "-o", tmp_path / "page.html", "--api-url", "nowhere").exit_code == 1
    assert list(tmp_path.iterdir()) == []
