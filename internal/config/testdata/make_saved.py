"""Writes saved/*.yaml: what PyYAML makes of save/*.yaml, dumped as Lighter does. Run it in this folder: python3 make_saved.py."""
import glob
import os

import yaml

os.makedirs("saved", exist_ok=True)
for name in sorted(glob.glob("save/*.yaml")):
    with open(name, encoding="utf-8") as source, open(name.replace("save/", "saved/"), "w", encoding="utf-8") as out:
        yaml.dump(yaml.safe_load(source), out, default_flow_style=False, sort_keys=False, indent=4)
