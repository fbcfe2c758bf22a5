"""What an adapter's quality.yaml says of it is complete, reasoned, and shown by tests that ran."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from adapters.accounting.booking import Books
from adapters.accounting.contract import Attachments, Capabilities
from adapters.accounting.registry import registered
from tests.contract.conftest import Shown
from tests.contract.quality import RULES, quality_of
from tests.contract.stand import Stand
from tests.docs.readme_tables import README, settings

ADAPTERS_PAGE = README.parent / "docs" / "adapters.md"


def each_adapter(*rules: str) -> pytest.MarkDecorator:
    """Parametrise over the adapters that call the rules done."""
    return pytest.mark.parametrize(
        "adapter",
        [
            pytest.param(adapter, marks=pytest.mark.covers(adapter, *rules))
            for adapter in registered()
            if not rules or quality_of(adapter).done.issuperset(rules)
        ],
    )


@each_adapter()
def test_every_rule_is_done_or_exempt_with_a_reason(adapter: str) -> None:
    quality = quality_of(adapter)
    assert quality.done | set(quality.exempt) == set(RULES)
    assert [rule for rule, reason in quality.exempt.items() if len(reason.split()) < 5] == []


@each_adapter("capabilities-declared")
def test_capabilities_are_declared(adapter: str) -> None:
    assert [name for name in vars(Books) if name[0] != "_" and not hasattr(registered()[adapter], name)] == []
    capabilities = registered()[adapter].capabilities
    assert isinstance(capabilities, Capabilities)
    assert capabilities.batch_size >= 1
    if capabilities.attachments:
        assert isinstance(capabilities.attachments, Attachments)
        assert capabilities.attachments.max_bytes > 0
        assert all(suffix.startswith(".") for suffix in capabilities.attachments.suffixes)


@each_adapter("settings-described")
def test_settings_are_described_and_no_secret_is_shown(adapter: str) -> None:
    model = registered()[adapter].Settings
    assert model.model_fields["system"].annotation is not str
    assert [name for name, _, meaning in settings(model, leave_out="system") if not meaning] == []


@each_adapter("real-system")
def test_the_stand_is_a_real_system(adapter: str, stands: Callable[[str], Stand]) -> None:
    assert stands(adapter).is_real


@each_adapter("set-up-documented")
def test_its_set_up_with_least_rights_is_documented(adapter: str) -> None:
    headings = re.findall(r"^## Set up (.+)$", ADAPTERS_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert registered()[adapter].title in headings


@pytest.mark.after_all_others
@pytest.mark.parametrize("adapter", registered())
def test_what_is_called_done_was_shown_by_a_test_that_ran(
    adapter: str, shown: Shown, request: pytest.FixtureRequest
) -> None:
    ran = {item.path.name for item in request.session.items}
    if not {"test_scenarios.py", "test_quality.py"} <= ran or request.config.option.keyword:
        pytest.skip("only a part of the conformance suite was asked for")
    not_shown = {rule for rule in quality_of(adapter).done if (adapter, rule) not in shown}
    assert not_shown == set()
