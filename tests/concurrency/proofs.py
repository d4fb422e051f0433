"""Reports of proofs in docs/proof: a section for each, written anew by `make prove`."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROVE = bool(os.environ.get("PROVE"))


def write_section(report: str, title: str, name: str, text: str) -> None:
    """Writes one section of a report, and leaves the others as they are.

    Args:
        report: the file's name in docs/proof, without ending.
        title: heading and first paragraph of the report.
        name: heading of the section.
        text: a sentence or two with figures, or a table.
    """
    if not PROVE:
        return
    proof = ROOT / "docs" / "proof" / f"{report}.md"
    kept = proof.read_text().split("\n## ")[1:] if proof.exists() else []
    sections = {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in kept}
    sections[name] = text
    body = "\n".join(f"## {heading}\n\n{said}\n" for heading, said in sections.items())
    proof.write_text(f"{title}\n{body}")
