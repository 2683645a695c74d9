"""Ansible's tasks."""

from __future__ import annotations

import pytest

from tests.recipe.tables import pins_where_marked


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("- apt: name=a^ state=present\n", ()),
        ("- apt: pkg=a^,b^\n", ()),
        ("- apt:\n    name: a^\n", ()),
        ("- apt: {name: 'a^', update_cache: yes}\n", ()),
        ('- ansible.builtin.apt:\n    name:\n      - a^\n      - "b^"  # why\n      - c=1.2\n', ()),
        ("- apt: {name: [a], state: absent}\n", ()),
        ("- apt: {name: [a], state: latest}\n", ("latest",)),
        ("- apt: {name: [a], state: build-dep}\n", ("build-dep",)),
        ("- apt: {name: '{{ x }}'}\n", ("variable-unknown",)),
        ("- apt: name={{ item }} state=present\n  with_items: [a^, b^]\n", ()),
        ("- apt: {name: '{{ item }}'}\n  loop:\n    - a^\n    - '{{ b }}'\n", ("variable-unknown",)),
        ("- apt: {name: '{{ item }}'}\n  loop: [a]\n  when: item in x\n", ("variable-unknown",)),
        ("- vars: {x: [a^, b^]}\n  tasks:\n    - apt: {name: '{{ x }}'}\n", ()),
        ("- apt: {name: '{{ item }}'}\n  loop: '{{ x }}'\n  vars: {x: [a^]}\n", ()),
        (
            "- vars: {x: [a]}\n  tasks:\n    - apt: {name: '{{ x }}'}\n    - debug: var=x\n",
            ("variable-unknown",),
        ),
        ("- action: apt pkg=a^ state=present\n", ()),
        ("- apt: {upgrade: dist}\n", ("upgrade",)),
        ("- apt: {upgrade: no, update_cache: yes}\n", ()),
        ("- apt: {deb: /x.deb}\n", ("dpkg",)),
        (
            "- hosts: all\n  tasks:\n    - block:\n        - apt: {name: a^}\n      rescue:\n        - apt: name=b^\n",
            (),
        ),
        ("- yum: {name: a}\n", ()),
        ("a: {apt: {name: a}}\n", ()),
    ],
)
def test_words(text: str, reasons: tuple[str, ...]) -> None:
    assert pins_where_marked("ansible", text) == reasons


def test_commands() -> None:
    text = "- shell: apt-get install a^\n- command: {cmd: apt-get install b^}\n"
    assert pins_where_marked("ansible", text, '="1:2~a+b*"') == ()
