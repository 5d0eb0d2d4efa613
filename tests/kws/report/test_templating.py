"""Figures as they are written on a page, and templates that take no text for markup."""

import jinja2
import pytest

from kws.detection.rates import hourly_rate, share
from kws.report import templating


@pytest.mark.parametrize("name", sorted(file.name for file in templating.TEMPLATES.glob("*.html")))
def test_every_template_escapes_and_refuses_names_that_it_was_not_given(name):
    environment = templating._environment()
    assert environment.autoescape and environment.undefined is jinja2.StrictUndefined
    assert environment.get_template(name).name == name


def test_figures_that_were_not_measured_are_a_dash():
    assert templating.percent(None) == templating.percent(float("nan")) == templating.ABSENT
    assert templating.number(float("inf")) == templating.ABSENT
    assert templating.interval(share(0, 0).to_dict(), True) == templating.ABSENT
    assert templating.bounds(hourly_rate(0, 0).to_dict(), False) == f"0 to {templating.ABSENT}"


def test_a_rate_is_written_with_its_bounds():
    # Clopper and Pearson, 7 of 10; Garwood, 2 events in 1 h.
    percents = templating.interval(share(7, 10).to_dict(), True).replace("\N{NO-BREAK SPACE}", " ")
    assert percents == "70.0 % (34.8 % to 93.3 %)"
    assert templating.interval(hourly_rate(2, 1.0).to_dict(), False) == "2 (0.24 to 7.22)"
    assert (templating.number(1234.0), templating.number(0.268)) == ("1,234", "0.27")


def test_a_table_names_its_rows_and_columns_and_can_be_reached_by_keyboard():
    macros = '{% from "macros.html" import cells, row_head, table %}'
    rows = '<tr>{{ row_head("<yes>") }}{{ cells(3) }}</tr>'
    call = '{% call table("Levels", ["label", "clips"]) %}' + rows + "{% endcall %}"
    made = templating._environment().from_string(macros + call).render()
    assert 'tabindex="0"' in made and 'aria-label="Levels"' in made
    assert '<th scope="col">label</th>' in made and '<th scope="col" class="n">clips</th>' in made
    assert '<th scope="row"><span class="mono">&lt;yes&gt;</span></th>' in made
    assert '<td class="n">3</td>' in made
