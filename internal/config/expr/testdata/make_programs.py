"""Writes programs.json: the programs of programs.txt and what each prints in Python. Run it in this folder: python3 make_programs.py."""
import contextlib
import io
import json

pairs = []
for source in open("programs.txt", encoding="utf-8").read().split("\n---\n"):
    source = source.strip("\n") + "\n"
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(source, "program", "exec"), {"__name__": "program"})
        except Exception as e:
            name = type(e).__name__
            if name not in source:
                raise
            print(f"{name}: {e}".removesuffix(": "))
    pairs.append([source, out.getvalue()])
json.dump(pairs, open("programs.json", "w", encoding="utf-8"), indent=0, ensure_ascii=False)
print(len(pairs))
