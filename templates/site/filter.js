/* Which figures a reader looks for: the filter is the page's query, so that links can hold it. */
"use strict";

const FILTERS = ["q", "operation", "view", "axes"];

/* Whether a figure of the catalogue passes a filter, which is a URLSearchParams. */
function passes(figure, filter) {
  const text = figure.text.toLowerCase();
  const words = (filter.get("q") || "").toLowerCase().split(/\s+/);
  return words.every((word) => text.includes(word))
    && (!filter.get("operation") || figure.operations.includes(filter.get("operation")))
    && (!filter.get("view") || figure.view === filter.get("view"))
    && (!filter.get("axes") || figure.axes === filter.get("axes"));
}

/* A filter as a query: "" if nothing is asked for. */
function queryOf(filter) {
  const asked = new URLSearchParams(FILTERS.filter((name) => filter.get(name)).map((name) => [name, filter.get(name)]));
  return String(asked) && `?${asked}`;
}
