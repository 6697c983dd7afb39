"""The runner of pages, with small pages."""

import http.server
import os
import sys
import time
from pathlib import Path

import pytest

from tests.docs.checkout import fresh_copy
from tests.docs.page_runs import missing_tools, page_environment
from tests.docs.pages import ROOT, blocks_of
from tests.docs.runner import run_blocks

SERVER = "python -c \"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')\""


@pytest.fixture
def run(tmp_path):
    """Returns a function that runs a page in an empty folder with a space in its name, and returns the folder."""
    folder, home, logs = tmp_path / "a folder", tmp_path / "home", tmp_path / "logs"
    for path in (folder, home):
        path.mkdir()
    (folder / ".venv").symlink_to(sys.prefix)

    def run(markdown, timeout_s=20):
        logs.mkdir()
        run_blocks(blocks_of("docs/page.md", markdown), folder, page_environment(folder, home), logs, timeout_s)
        return folder

    return run


@pytest.fixture
def free_port():
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        return server.server_address[1]


def sh(*commands, comment=""):
    return f"{comment}\n```sh\n" + "\n".join(commands) + "\n```\n\n"


def python(code):
    return f"```python\n{code}\n```\n\n"


def fails(message):
    return pytest.raises(pytest.fail.Exception, match=message)


def test_variables_and_the_folder_outlive_a_block(run):
    folder = run(sh("name='w o\nr'", 'greet() { echo "hello $1"; }', "mkdir inside", "cd inside") + sh('greet "$name" > greeting.txt'))
    assert (folder / "inside/greeting.txt").read_text() == "hello w o\nr\n"


def test_commands_after_a_failure_do_not_run(run, tmp_path):
    with fails(r"^docs/page\.md:3: "):
        run(sh("false", "touch after") + sh("touch later"))
    assert not {"after", "later"} & {path.name for path in (tmp_path / "a folder").iterdir()}


@pytest.mark.parametrize("command", ["false | cat", 'echo "$unknown"', "exit 0", "no-such-command", "( exit 4 )", "if; then"])
def test_command_fails_its_block(run, command):
    with fails(r"^docs/page\.md:3: "):
        run(sh(command))


@pytest.mark.parametrize("markdown", [sh("sleep 987 & echo $! > pid.txt", "wait"), python("import time; time.sleep(60)")])
def test_timeout_kills_a_block_and_its_processes(run, tmp_path, markdown):
    with fails("within 1 s"):
        run(markdown, timeout_s=1)
    for pid in (tmp_path / "a folder").glob("pid.txt"):
        deadline = time.monotonic() + 10
        while is_running(pid.read_text().strip()) and time.monotonic() < deadline:  # the kill may take a moment
            time.sleep(0.05)
        assert not is_running(pid.read_text().strip())


def test_expected_exit_status_is_no_failure(run):
    folder = run(sh("(exit 3)", comment="<!-- docs-test: exits 3 -->") + sh("touch after"))
    assert (folder / "after").exists()


@pytest.mark.parametrize("command", ["true", "(exit 2)"])
def test_unexpected_exit_status_is_a_failure(run, command):
    with fails("3"):
        run(sh(command, comment="<!-- docs-test: exits 3 -->"))


def test_server_runs_until_the_end_of_the_page(run, free_port):
    server = sh(SERVER.format(port=free_port), comment=f"<!-- docs-test: background {free_port} -->")
    folder = run("```sh\ntouch here.txt\n```\n\n" + server + sh(f"curl -sf localhost:{free_port}/ > listing.html"))
    assert "here.txt" in (folder / "listing.html").read_text()
    http.server.HTTPServer(("127.0.0.1", free_port), http.server.SimpleHTTPRequestHandler).server_close()  # the port is free again


def test_server_that_exits_is_a_failure_with_its_output(run, free_port):
    with fails("cannot start"):
        run(sh("echo cannot start; exit 1", comment=f"<!-- docs-test: background {free_port} -->"))


def test_port_in_use_skips_the_page(run, monkeypatch):
    monkeypatch.setattr("tests.docs.runner._PORT_FREE_WITHIN_S", 0)
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server, pytest.raises(pytest.skip.Exception):
        run(sh("sleep 5", comment=f"<!-- docs-test: background {server.server_address[1]} -->"))


def test_python_blocks_share_a_namespace_and_the_shells_folder(run):
    folder = run(
        sh("mkdir inside", "cd inside")
        + python("from pathlib import Path\nanswer = 6 * 7")
        + python("Path('answer.txt').write_text(str(answer))")
        + sh("cat answer.txt > copied.txt")
    )
    assert (folder / "inside/copied.txt").read_text() == "42"


@pytest.mark.parametrize("code", ["print('before')\n1 / 0", "if", "import os; os._exit(3)"])
def test_python_error_is_a_failure(run, code):
    with fails(r"^docs/page\.md:2: "):
        run(python(code))


def test_python_error_names_its_line(run):
    with fails(r'docs/page\.md", line 7'):
        run(python("first = 1") + python("first\n1 / 0"))


def test_missing_tool_is_named(tmp_path):
    (block,) = blocks_of("page.md", sh("docker ps | cat", "ls"))
    assert missing_tools(block, {"PATH": str(tmp_path)}) == {"docker"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return fresh_copy(tmp_path_factory.mktemp("a path") / "with a space")


def test_copy_has_no_ignored_files(copy):
    assert (copy / "README.md").read_bytes() == (ROOT / "README.md").read_bytes()
    assert os.access(copy / ".ci/run", os.X_OK)
    assert not (copy / ".git").exists()
    assert not list(copy.glob("**/__pycache__"))


def test_downloaded_archive_can_be_copied(tmp_path):
    archive = tmp_path / "archive"
    for name in ("coinfarm/__init__.py", "coinfarm/__pycache__/x.pyc", "build/large", ".venv/bin/python", "Makefile"):
        (archive / name).parent.mkdir(parents=True, exist_ok=True)
        (archive / name).touch()
    (archive / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    copied = fresh_copy(tmp_path / "copy", archive)
    files = {path.relative_to(copied).as_posix() for path in copied.rglob("*") if path.is_file() and ".venv" not in path.parts}
    assert files == {"coinfarm/__init__.py", "Makefile", ".gitignore"}


def test_code_of_the_copy_is_used(copy, tmp_path):
    page = sh(
        "source .venv/bin/activate", "cd /", 'echo "print(\'the copy\')" > "$OLDPWD/coinfarm/__init__.py"', 'coinfarm --help > "$HOME/out"'
    )
    (tmp_path / "logs").mkdir()
    run_blocks(blocks_of("page.md", page), copy, page_environment(copy, tmp_path), tmp_path / "logs")
    assert (tmp_path / "out").read_text().startswith("the copy\n")


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False
