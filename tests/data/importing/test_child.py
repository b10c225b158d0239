"""The process that reads a file starts quickly: it loads neither the database nor pandas."""

import subprocess
import sys


def test_the_reader_loads_no_database_and_no_frames():
    program = "import sys, data.importing.read; print(*{'duckdb', 'pandas', 'pint', 'streamlit'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
