"""HTML from functions: text cannot become markup."""

from kws.report.page.html import join, table, tag


def test_text_is_escaped_in_children_and_in_attributes():
    made = tag("p", '<b> & "c"', title='" onclick="x')
    assert made == '<p title="&quot; onclick=&quot;x">&lt;b&gt; &amp; &quot;c&quot;</p>'


def test_html_stays_html_and_nothing_is_left_out_but_none():
    assert tag("p", tag("b", 0), None, join(["a", None, "<"])) == "<p><b>0</b>a&lt;</p>"


def test_attributes_that_are_python_s_own_words_can_be_written():
    made = tag("td", class_="n", data_left=3, hidden=True, controls=False)
    assert made == '<td class="n" data-left="3" hidden></td>'


def test_a_table_names_its_rows_and_columns_and_can_be_reached_by_keyboard():
    made = table("Levels", ["label", "clips"], [["yes", 3]])
    assert 'tabindex="0"' in made and 'aria-label="Levels"' in made
    assert '<th scope="col">label</th><th scope="col" class="n">clips</th>' in made
    assert '<th scope="row">yes</th><td class="n">3</td>' in made
