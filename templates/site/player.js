/* The player of a figure: shows its steps one after the other, and lights the elements that are pointed at. */
"use strict";

{
  const player = document.querySelector(".player");
  const data = JSON.parse(document.getElementById("data").textContent);
  const count = data.files.length;
  const find = (selector) => player.querySelector(selector);
  const frames = Array.from(player.querySelectorAll(".frame"));
  const elements = Array.from(player.querySelectorAll("[data-map]"));
  const elementsOf = (map) => elements.filter((element) => element.dataset.map === map);
  const [play, slider, counter, speed] = [".play", ".slider", ".counter", ".speed"].map(find);
  const [sentence, pin] = [".sentence output", ".pin"].map(find);
  const sentences = Array.from(document.querySelectorAll("#steps li"), (item) => item.textContent.trim());
  const files = document.querySelectorAll("[data-step-file]");

  /* `over` is the element under the pointer and `focus` the one that has the keyboard's focus. */
  const state = { step: 0, playing: false, over: null, focus: null, pinned: null };
  let timer = 0;

  const stepOf = (element) => (element?.dataset.map === "output" ? data.outputs.indexOf(Number(element.dataset.number)) : -1);

  /* The elements that are lit with one: the outputs that see an input element, the inputs that a kernel element meets. */
  const related = (element) => {
    const { map, number, index } = element.dataset;
    if (map === "output") return [element];
    if (map === "kernel") {
      const met = new Set(data.terms.flat().filter((term) => term[1] === Number(number)).map((term) => term[0]));
      return [element, ...elementsOf("input").filter((input, at) => met.has(at))];
    }
    // Padding may hold copies of it.
    const same = elementsOf("input").filter((input) => input.dataset.index === index);
    const numbers = new Set(same.map((input) => Number(input.dataset.number)));
    return [...same, ...elementsOf("output").filter((_, at) => data.terms[at].some((term) => numbers.has(term[0])))];
  };

  const render = () => {
    const looked = state.over ?? state.focus;
    const shown = stepOf(looked) >= 0 ? stepOf(looked) : state.step;
    const isLooking = looked && looked.dataset.map !== "output";
    for (const frame of frames) {
      frame.setAttribute("visibility", Number(frame.dataset.frame) === shown && !isLooking ? "visible" : "hidden");
    }
    const lit = new Set(isLooking ? related(looked) : []);
    const kept = new Set(state.pinned ? related(state.pinned) : []);
    for (const element of elements) {
      element.classList.toggle("lit", lit.has(element));
      element.classList.toggle("kept", kept.has(element) && !isLooking);
      if (element.hasAttribute("aria-pressed")) element.setAttribute("aria-pressed", element === state.pinned);
    }
    const text = looked && stepOf(looked) < 0 ? looked.dataset.sentence : sentences[shown];
    if (sentence && sentence.textContent !== text) sentence.textContent = text;
    pin?.classList.toggle("shown", state.pinned !== null);
    if (pin && state.pinned) pin.querySelector("span").textContent = state.pinned.getAttribute("aria-label");
    if (count === 1) return;
    slider.value = shown;
    slider.setAttribute("aria-valuetext", `Step ${shown + 1} of ${count}${sentences.length ? `. ${sentences[shown]}` : ""}`);
    counter.textContent = `${shown + 1} / ${count}`;
    play.setAttribute("aria-label", state.playing ? "Pause" : "Play");
    play.classList.toggle("playing", state.playing);
    for (const link of files) link.href = `${data.files[shown]}.${link.dataset.stepFile}`;
  };

  const go = (step) => {
    state.step = Math.min(Math.max(step, 0), count - 1);
    if (state.playing) wait();
    render();
  };

  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // It rests while an element is looked at.
      if (state.over || state.focus) wait();
      else go((state.step + 1) % count);
    }, 1000 * data.durations[state.step] / Number(speed.value));
  };

  const setPlaying = (playing) => {
    state.playing = playing;
    clearTimeout(timer);
    // Nobody should have to listen to all steps of an animation.
    sentence?.setAttribute("aria-live", playing ? "off" : "polite");
    if (playing) wait();
    render();
  };

  const stepBy = (steps) => {
    setPlaying(false);
    go(state.step + steps);
  };

  /* Pin an element, or show the step of an output element. */
  const choose = (element) => {
    if (stepOf(element) >= 0) {
      setPlaying(false);
      go(stepOf(element));
    } else if (element.dataset.map !== "output") {
      state.pinned = state.pinned === element ? null : element;
      render();
    }
  };

  const unpin = () => {
    state.pinned = null;
    render();
  };

  /* Move the focus to an element, which is then the one of its map that the Tab key reaches. */
  const focusOn = (element) => {
    for (const other of elementsOf(element.dataset.map)) other.setAttribute("tabindex", other === element ? 0 : -1);
    element.focus();
  };

  /* The next element of a map in a direction: along the last axis, or the one before. */
  const neighbour = (element, key) => {
    const [back, axis] = { ArrowLeft: [-1, 1], ArrowRight: [1, 1], ArrowUp: [-1, 2], ArrowDown: [1, 2] }[key];
    const index = element.dataset.index.split(",").map(Number);
    if (axis > index.length) return null;
    index[index.length - axis] += back;
    return elementsOf(element.dataset.map).find((other) => other.dataset.index === index.join(",")) ?? null;
  };

  player.addEventListener("pointerover", (event) => {
    state.over = event.target.closest("[data-map]");
    render();
  });
  player.addEventListener("pointerleave", () => {
    state.over = null;
    render();
  });
  player.addEventListener("focusin", (event) => {
    state.focus = event.target.closest("[data-map]");
    render();
  });
  player.addEventListener("focusout", () => {
    state.focus = null;
    render();
  });
  player.addEventListener("click", (event) => {
    const element = event.target.closest("[data-map]");
    if (element) choose(element);
  });
  player.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const element = event.target.closest("[data-map]");
    const isNative = event.target.closest("select, a");
    if (event.key === "Escape") unpin();
    else if (element && event.key.startsWith("Arrow")) {
      const next = neighbour(element, event.key);
      if (next) focusOn(next);
    } else if (element && (event.key === "Enter" || event.key === " ")) choose(element);
    else if (count === 1 || isNative) return;
    else if (event.key === " " && !event.target.closest("button")) setPlaying(!state.playing);
    else if (event.key === "ArrowLeft") stepBy(-1);
    else if (event.key === "ArrowRight") stepBy(1);
    else if (event.key === "Home") stepBy(-count);
    else if (event.key === "End") stepBy(count);
    else return;
    event.preventDefault();
  });
  pin?.querySelector("button").addEventListener("click", unpin);
  if (count > 1) {
    play.addEventListener("click", () => setPlaying(!state.playing));
    find(".back").addEventListener("click", () => stepBy(-1));
    find(".forward").addEventListener("click", () => stepBy(1));
    slider.addEventListener("input", () => stepBy(Number(slider.value) - state.step));
    const readHash = () => {
      const step = /^#step-(\d+)$/.exec(location.hash);
      if (step) stepBy(Number(step[1]) - 1 - state.step);
    };
    window.addEventListener("hashchange", readHash);
    readHash();
  }
  render();

  /* The figures before and after this one, of those that pass the reader's filter. */
  const filter = new URLSearchParams(location.search);
  const query = queryOf(filter);
  const passing = CATALOGUE.filter((figure) => figure.name === data.name || passes(figure, filter));
  const place = passing.findIndex((figure) => figure.name === data.name);
  for (const link of document.querySelectorAll("[data-neighbour]")) {
    const figure = passing[(place + Number(link.dataset.neighbour) + passing.length) % passing.length];
    link.href = `../${figure.name}/index.html${query}`;
    link.querySelector("span").textContent = figure.title;
  }
  document.querySelector(".all").search = query;
}
