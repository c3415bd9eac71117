/* The index: shows the figures that pass the filter. */
"use strict";

{
  const form = document.querySelector(".filter");
  const count = document.querySelector(".filter [role=status]");
  const cards = new Map(Array.from(document.querySelectorAll(".card"), (card) => [card.dataset.name, card]));

  const show = () => {
    const filter = new URLSearchParams(new FormData(form));
    const query = queryOf(filter);
    let shown = 0;
    for (const figure of CATALOGUE) {
      const card = cards.get(figure.name);
      card.hidden = !passes(figure, filter);
      shown += !card.hidden;
      card.querySelector("a").search = query;
    }
    for (const group of document.querySelectorAll(".group")) {
      group.hidden = !group.querySelector(".card:not([hidden])");
    }
    count.textContent = shown === 1 ? "1 figure" : `${shown || "No"} figures`;
    history.replaceState(null, "", query || location.pathname);
  };

  const begin = () => {
    const asked = new URLSearchParams(location.search);
    for (const name of FILTERS) form.elements[name].value = asked.get(name) || "";
    show();
  };

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  window.addEventListener("pageshow", begin);
}
