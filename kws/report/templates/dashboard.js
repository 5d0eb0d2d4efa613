// TFMA's component gets its data as a property; tables are sorted and thinned out; features are found.
for (const plot of document.querySelectorAll("[data-from]")) {
  const { data, classNames } = JSON.parse(document.getElementById(plot.dataset.from).textContent);
  customElements.whenDefined(plot.localName).then(() => {
    plot.classNames = classNames;
    plot.data = data;
  });
}

const value = (cell) => {
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  const number = Number(cell.textContent.replaceAll(",", ""));
  return Number.isNaN(number) ? cell.textContent : number;
};

for (const button of document.querySelectorAll("button.sort")) {
  button.addEventListener("click", () => {
    const header = button.closest("th");
    const table = button.closest("table");
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const one of table.querySelectorAll("th[aria-sort]")) one.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((one, other) => {
      const [a, b] = [one, other].map((row) => value(row.cells[header.cellIndex]));
      return (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
    });
    body.append(...rows);
  });
}

for (const field of document.querySelectorAll("input[data-least]")) {
  field.addEventListener("input", () => {
    for (const row of document.querySelectorAll(`#${field.dataset.least} tbody tr`)) {
      row.hidden = value(row.cells[1]) < Number(field.value);
    }
  });
}

for (const field of document.querySelectorAll("input[data-find]")) {
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const one of document.querySelectorAll(`#${field.dataset.find} .feature`)) {
      one.hidden = !one.dataset.feature.toLowerCase().includes(wanted);
    }
  });
}
