// The explorer's page.  Its state is the keys of a figure's file, with the view and the step; the address after # holds it.
// Everything from the address or from a field is text or a number, never markup.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const data = JSON.parse(byId("data").textContent);
  const core = arithmetic(data);
  const words = notation(data, core);
  const pictures = drawing(data.looks, core);
  const report = formulas(data.formulas);
  const { LayerError, product, range, sum } = core;
  const { sizes, written } = pictures;

  const PER_AXIS = ["input_size", "kernel_size", "stride", "dilation", "output_padding", "output_size"];
  const CHOICES = ["operation", "padding_mode", "values"];
  const FLAGS = ["ceil_mode", "count_include_pad"];
  const COUNTS = ["norm", "in_channels", "out_channels", "groups", "seed"];
  const VALUES = ["input_values", "kernel_values", "indices"];
  const START = { operation: "convolution", input_size: [5, 5], kernel_size: 3, stride: 2, padding: 1 };
  // What is drawn at once; larger layers are for `make draw`.
  const MOST_CELLS = 4096;
  const LONGEST = 128;
  const MOST_SOLUTIONS = 100;
  // Candidates that are tried at once.
  const MOST_CANDIDATES = 20_000;

  const canvas = new pictures.Canvas(byId("svg"));
  const state = { keys: START, view: "plane", step: 0 };
  // What is computed from the state: the layer, its values and its scene; null while there is no such layer.
  let shown = null;

  // Elements

  function element(name, attributes = {}, ...children) {
    const found = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
    found.append(...children);
    return found;
  }

  const cells = (name, texts) => texts.map((text) => element(name, name === "th" ? { scope: "col" } : {}, text));
  function table(head, rows) {
    const body = rows.map(([first, ...rest]) =>
      element("tr", {}, element("th", { scope: "row" }, first), ...cells("td", rest)),
    );
    return element("table", {}, element("thead", {}, element("tr", {}, ...cells("th", head))), element("tbody", {}, ...body));
  }

  // The form: from keys to fields

  const operation = () => data.operations[byId("operation").value];
  const axisCount = () => Number(document.querySelector('input[name="axes"]:checked').value);
  const isOwned = (key) => core.hasKey(operation(), key);
  const field = (key, axis, side = "") => byId([key, axis, side].filter((part) => part !== "").join("-"));

  function setNumber(input, value) {
    const number = typeof value === "number" ? value : "";
    input.value = number;
    byId(`${input.id}-slider`).value = number || 0;
  }

  // One value for each of two axes.
  function both(value) {
    if (!Array.isArray(value)) return [value, value];
    return [value[0], value[1] ?? value[0]];
  }

  function fill(keys) {
    const all = { ...Object.fromEntries(Object.entries(data.keys).map(([key, { default: value }]) => [key, value])), ...keys };
    byId("operation").value = all.operation;
    const n = Array.isArray(all.input_size) ? all.input_size.length : 2;
    document.querySelector(`input[name="axes"][value="${n === 1 ? 1 : 2}"]`).checked = true;
    for (const key of PER_AXIS) both(all[key]).forEach((value, axis) => setNumber(field(key, axis), value));
    const name = typeof all.padding === "string" ? all.padding : "";
    byId("padding-name").value = name;
    const sides = both(name ? 0 : all.padding).map(both);
    sides.forEach(([before, after], axis) => {
      setNumber(field("padding", axis, "before"), before);
      setNumber(field("padding", axis, "after"), after);
    });
    byId("both").checked = sides.every(([before, after]) => before === after);
    const alike = PER_AXIS.filter((key) => key !== "input_size").every((key) => new Set(both(all[key])).size === 1);
    byId("same").checked = alike && String(sides[0]) === String(sides[1]);
    for (const key of FLAGS) byId(key).checked = all[key];
    for (const key of COUNTS) byId(key).value = typeof all[key] === "number" ? all[key] : "";
    byId("padding_mode").value = all.padding_mode;
    byId("values").value = all.values ?? (all.input_values ? "given" : "");
    for (const key of VALUES) byId(key).value = all[key] ? rowsOf(all[key]).join("\n") : "";
    byId("channels").open ||= all.in_channels !== null || all.out_channels !== null;
    byId("numbers").open ||= byId("values").value !== "";
    arrange();
  }

  // Show the fields that the operation has, of as many axes as there are.
  function arrange() {
    const n = axisCount();
    const { padding_names: names } = operation();
    for (const option of byId("padding-name").options) option.hidden = option.disabled = option.value !== "" && !names.includes(option.value);
    if (byId("padding-name").selectedOptions[0]?.disabled) byId("padding-name").value = "";
    const same = n === 2 && byId("same").checked;
    byId("same-line").hidden = n === 1;
    for (const row of all("[data-key]")) {
      const { key } = row.dataset;
      row.hidden = !(key in data.keys) || !isOwned(key);
      for (const axis of all(".axis", row)) {
        const isSecond = axis.dataset.axis === "1";
        axis.hidden = isSecond && (n === 1 || (same && key !== "input_size"));
        const name = n === 1 ? "Size" : same && key !== "input_size" ? "Both axes" : isSecond ? "Columns" : "Rows";
        for (const label of all(".axis-name", axis)) label.textContent = n === 1 && key !== "input_size" ? "" : name;
      }
    }
    const byName = byId("padding-name").value !== "";
    byId("both-line").hidden = byName;
    for (const axis of all('[data-key="padding"] .axis')) axis.hidden ||= byName;
    for (const side of all('[data-side="after"]')) side.hidden = byId("both").checked;
    for (const label of all('[data-side="before"] .side-name')) label.hidden = byId("both").checked;
    const values = byId("values").value;
    byId("channels").hidden = !operation().keys.includes("in_channels");
    document.querySelector('[data-key="seed"]').hidden = values !== "random";
    for (const key of VALUES) document.querySelector(`[data-key="${key}"]`).hidden ||= values !== "given";
  }

  // The form: from fields to keys

  // The number in a field; its text where it is no number, and undefined where it is empty.
  function numberIn(input) {
    const text = input.value.trim();
    if (input.validity.badInput) return "…";
    if (text === "") return undefined;
    return Number.isNaN(Number(text)) ? text : Number(text);
  }

  const short = (values) => (values.every((value) => String(value) === String(values[0])) ? values[0] : values);

  function gather() {
    const n = axisCount();
    const same = n === 2 && byId("same").checked;
    const keys = { operation: byId("operation").value };
    const each = (key, read) => range(0, n).map((axis) => read(key, same && key !== "input_size" ? 0 : axis));
    for (const key of PER_AXIS.filter(isOwned)) {
      const found = each(key, (name, axis) => numberIn(field(name, axis)));
      if (found.every((value) => value === undefined)) continue;
      const numbers = found.map((value) => value ?? "");
      keys[key] = key === "input_size" ? numbers : short(numbers);
    }
    if (operation().padding_names.length && isOwned("padding")) {
      const side = (key, axis, name) => numberIn(field(key, axis, name)) ?? "";
      const sides = (key, axis) =>
        byId("both").checked ? side(key, axis, "before") : short([side(key, axis, "before"), side(key, axis, "after")]);
      const found = each("padding", sides);
      keys.padding = byId("padding-name").value || (Array.isArray(found[0]) ? found : short(found));
    }
    for (const key of FLAGS.filter(isOwned)) keys[key] = byId(key).checked;
    for (const key of COUNTS.filter(isOwned)) if (numberIn(byId(key)) !== undefined) keys[key] = numberIn(byId(key));
    if (isOwned("padding_mode")) keys.padding_mode = byId("padding_mode").value;
    const values = byId("values").value;
    if (values === "random") keys.values = "random";
    else delete keys.seed;
    if (values === "given") {
      for (const key of VALUES.filter(isOwned)) if (byId(key).value.trim()) keys[key] = nested(byId(key).value, n);
    }
    return changed(keys);
  }

  // The keys that differ from their defaults.
  const changed = (keys) =>
    Object.fromEntries(
      Object.entries(keys).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(data.keys[key]?.default)),
    );

  // Nested lists from rows of numbers.
  function nested(text, n) {
    const rows = text.split(/[\n;]/).filter((row) => row.trim());
    const read = (word) => (Number.isNaN(Number(word)) ? word : Number(word));
    const found = rows.map((row) => row.trim().split(/[\s,]+/).map(read));
    return n === 1 && found.length === 1 ? found[0] : found;
  }

  const rowsOf = (values) => (Array.isArray(values[0]) ? values : [values]).map((row) => row.join(" "));

  // The address

  // 5x7 for two axes, and 0,1 for two sides.
  function encoded(key, value) {
    if (VALUES.includes(key)) return (Array.isArray(value[0]) ? value : [value]).map((row) => row.join(",")).join(";");
    const each = Array.isArray(value) ? value.map((side) => (Array.isArray(side) ? side.join(",") : side)).join("x") : value;
    return String(each);
  }

  function decoded(key, text, n) {
    if (VALUES.includes(key)) return nested(text, n);
    const read = (word) => (word === "true" ? true : word === "false" ? false : word === "" || Number.isNaN(Number(word)) ? word : Number(word));
    if (CHOICES.includes(key)) return text;
    const parts = text.split("x").map((part) => (part.includes(",") ? part.split(",").map(read) : read(part)));
    if (key === "input_size" || parts.length > 1 || Array.isArray(parts[0])) return parts;
    return key === "padding" && data.padding_names.includes(text) ? text : parts[0];
  }

  const escaped = (text) => encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%3B", ";");

  function address() {
    const parts = Object.entries(state.keys).map(([key, value]) => `${key}=${escaped(encoded(key, value))}`);
    if (state.view !== "plane") parts.push(`view=${state.view}`);
    if (state.step) parts.push(`step=${state.step}`);
    return `#${parts.join("&")}`;
  }

  // Take the state from the address: keys, or a layer's notation and the size of its input.
  function follow() {
    const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    const { view, step, layer, input, ...others } = asked;
    say("notation", "");
    if (layer) {
      byId("notation").value = layer;
      if (!readNotation(layer, input ?? "7")) fill(START);
    } else {
      const n = others.input_size?.split("x").length ?? 2;
      const known = Object.entries(others).filter(([key]) => Object.hasOwn(data.keys, key));
      const keys = Object.fromEntries(known.map(([key, text]) => [key, decoded(key, text, n)]));
      fill(Object.hasOwn(data.operations, keys.operation ?? "") ? keys : START);
    }
    state.view = view === "numerical" ? "numerical" : "plane";
    state.step = Number.isInteger(Number(step)) ? Number(step) : 0;
    document.querySelector(`input[name="view"][value="${state.view}"]`).checked = true;
    update({ keepStep: true });
  }

  // Browsers limit how often an address may change.
  let saving = null;
  function save() {
    clearTimeout(saving);
    saving = setTimeout(() => history.replaceState(null, "", address()), 300);
  }

  // Errors, next to the field that they are about

  const errorOf = (key) => byId(`${key}-error`) ?? byId("other-error");

  function say(key, message) {
    const place = errorOf(key);
    place.textContent = message;
    for (const input of all(`[aria-describedby="${place.id}"]`)) input.setAttribute("aria-invalid", message ? "true" : "false");
  }

  function clearErrors() {
    for (const place of all("#layer .error")) if (place.textContent) say(place.id.replace(/-error$/, ""), "");
  }

  // Drawing

  function update({ keepStep = false } = {}) {
    clearErrors();
    state.keys = gather();
    try {
      shown = { ...core.figure(drawnKeys(state.keys)), keys: state.keys };
    } catch (error) {
      if (!(error instanceof LayerError)) throw error;
      refuse(error);
      return save();
    }
    document.body.classList.remove("refused");
    const count = product(shown.layer.output_size);
    state.step = keepStep ? Math.min(Math.max(state.step, 0), count - 1) : Math.min(state.step, count - 1);
    Object.assign(byId("scrub"), { max: count - 1, value: state.step });
    showPicture();
    showResults();
    return save();
  }

  const without = (keys, names) => Object.fromEntries(Object.entries(keys).filter(([key]) => !names.includes(key)));
  // The keys of the layer alone.
  const plainKeys = (keys) => without(keys, [...VALUES, "values", "seed"]);

  // The keys that a picture is drawn from: one channel of the layer, with values where numbers are wanted.
  function drawnKeys(keys) {
    const layer = core.layerOf(plainKeys(keys));
    const one = without(keys, ["in_channels", "out_channels", "groups"]);
    if (isTooLarge(layer)) return plainKeys(one);
    return state.view === "numerical" && !keys.input_values ? { ...one, values: "random" } : one;
  }

  // There is no such layer: say why, beside the field and in place of the picture.
  function refuse({ key, message }) {
    const text = message.replace(/^\w+/, (name) => `${name[0].toUpperCase()}${name.slice(1).replaceAll("_", " ")}`);
    shown = null;
    play(false);
    say(key, text);
    const hidden = errorOf(key).closest("details");
    if (hidden) hidden.open = true;
    byId("sizes").textContent = "No such layer";
    byId("instead").textContent = text;
    byId("instead").hidden = false;
    document.body.classList.add("refused");
  }

  const isTooLarge = (layer) => {
    const extents = layer.windowAxes.map((axis) => axis.extent);
    return Math.max(...extents, ...layer.output_size) > LONGEST || Math.max(product(extents), product(layer.output_size)) > MOST_CELLS;
  };

  function showPicture() {
    const { layer } = shown;
    byId("sizes").textContent = `${sizes(layer.input_size)} → ${sizes(layer.output_size)}`;
    byId("caption").textContent = caption(layer);
    byId("svg").classList.toggle("numerical", state.view === "numerical");
    const large = isTooLarge(layer);
    byId("svg").toggleAttribute("hidden", large);
    byId("player").hidden = large;
    byId("instead").hidden = !large;
    byId("instead").textContent = large ? "Too large to be drawn here. Its sizes and costs are below, and make draw draws an excerpt." : "";
    shown.scene = null;
    byId("sum").textContent = "";
    if (large) return;
    const values = shown.input === null ? null : shown;
    shown.scene = pictures.scene(layer, state.view, values);
    canvas.showStill(pictures.still(shown.scene));
    showStep();
  }

  function showStep() {
    if (!shown?.scene) return;
    canvas.showStep(pictures.step(shown.scene, state.step));
    const [row, column] = position();
    const place = shown.layer.output_size.length === 1 ? `${column}` : `row ${row}, column ${column}`;
    byId("scrub").setAttribute("aria-valuetext", `output ${place}`);
    byId("sum").textContent = sentence(place);
  }

  const position = () => {
    const { columns } = shown.scene.output;
    return [Math.floor(state.step / columns), state.step % columns];
  };

  // Words

  const grouped = (number) => number.toLocaleString("en").replaceAll(",", "\u202f");
  const counted = (count, noun) => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
  const once = (values) => (new Set(values.map(String)).size === 1 ? String(values[0]) : sizes(values));

  function paddingWords(pairs) {
    if (pairs.every(([before, after]) => before === after)) return once(pairs.map(([side]) => side));
    const [first] = pairs;
    if (new Set(pairs.map(String)).size === 1) return `${first[0]} before, ${first[1]} after`;
    return pairs.map(([before, after]) => `(${before}, ${after})`).join(" × ");
  }

  function caption(layer) {
    const { axes, operation: { words: name, keys } } = layer;
    const parts = [];
    if (keys.includes("kernel_size")) {
      parts.push(`${layer.weighted ? "kernel" : "window"} ${sizes(layer.kernel_size)}`);
      parts.push(`stride ${once(axes.map((axis) => axis.stride))}`, `padding ${paddingWords(axes.map((axis) => axis.padding))}`);
    }
    if (axes.some((axis) => axis.dilation > 1)) parts.push(`dilation ${once(axes.map((axis) => axis.dilation))}`);
    if (axes.some((axis) => axis.output_padding)) parts.push(`output padding ${once(axes.map((axis) => axis.output_padding))}`);
    if (layer.ceil_mode) parts.push("ceil mode");
    if (layer.padding_mode !== "zeros") parts.push(`${layer.padding_mode} padding`);
    const { in_channels, out_channels, groups } = shown.keys;
    if (groups > 1) parts.push(counted(groups, "group"));
    const listed = parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts.join("");
    const map = (channels, numbers) => `${channels > 1 ? `${counted(channels, "channel")} of ` : ""}${sizes(numbers)}`;
    const size = `from an input of ${map(in_channels, layer.input_size)} to an output of ${map(out_channels, layer.output_size)}`;
    const drawn = layer.transposed ? " Drawn as the equivalent direct convolution." : "";
    return `${name[0].toUpperCase()}${name.slice(1)}${listed && ` with ${listed}`}, ${size}.${drawn}`;
  }

  // How the output element of the step is computed.
  function sentence(place) {
    const { layer, scene } = shown;
    const found = core.terms(scene.layer, position(), shown.operand !== null && !layer.weighted ? shown.operand : null);
    const inside = found.filter((term) => term.input_index !== null);
    if (shown.input === null) {
      const rest = found.length - inside.length;
      const empty = `${rest === 1 ? "is" : "are"} padding${layer.transposed ? " or inserted zeros" : ""}`;
      const more = rest ? `; ${counted(rest, "cell")} of its window ${empty}` : "";
      return `Output ${place} is computed from ${counted(inside.length, "input element")}${more}.`;
    }
    const value = pictures.computed(shown.output.data[state.step], scene.decimals);
    const inputOf = (term) => shown.input.data[core.ravel(term.input_index, scene.layer.input_size)];
    const bracketed = (number) => (number < 0 ? `(${written(number)})` : written(number));
    const shortened = (texts) => (texts.length > 16 ? [...texts.slice(0, 12), "…", ...texts.slice(-2)] : texts);
    const equals = Math.abs(Number(value.replace("−", "-")) - shown.output.data[state.step]) < 1e-9 || !Number.isFinite(shown.output.data[state.step]) ? "=" : "≈";
    const listed = (write, separator) => shortened(inside.map(write)).join(separator);
    const kernelOf = (term) => shown.operand.data[core.ravel(term.kernel_index, scene.layer.kernel_size)];
    const texts = {
      maximum: () => `max(${listed((term) => written(inputOf(term)), ", ")})`,
      average: () => `(${listed((term) => bracketed(inputOf(term)), " + ")}) / ${(layer.count_include_pad ? found : inside).length}`,
      norm: () => `(${listed((term) => `|${written(inputOf(term))}|^${layer.norm}`, " + ")})^(1/${layer.norm})`,
    };
    if (!inside.length || layer.operation.operand === "indices") return `Output ${place} is ${value}.`;
    const text = layer.weighted ? listed((term) => `${bracketed(kernelOf(term))}·${bracketed(inputOf(term))}`, " + ") : texts[layer.reduction]();
    return `Output ${place}: ${text} ${equals} ${value}`;
  }

  // Results

  // The values of the report's symbols along an axis.
  function quantities(layer, axis) {
    const own = layer.axes[axis];
    const [input, output] = [layer.input_size[axis], layer.output_size[axis]];
    if (layer.operation.adaptive) {
      const element = position().at(axis - layer.axes.length);
      const window = layer.grid[axis].windows[element];
      return { t: element, i: input, o: output, e_first: window[0].position, e_last: window.at(-1).position };
    }
    const [p_before, p_after] = own.padding;
    const values = { k: own.kernel_size, s: own.stride, d: own.dilation, p_before, p_after };
    if (p_before === p_after) values.p = p_before;
    if (layer.transposed || layer.operation.operand === "indices") {
      return { ...values, i_prime: input, o_prime: output, o: input, i: output, a: own.output_padding };
    }
    const known = { ...values, i: input, ...(layer.ceil_mode ? { o_ceil: output } : { o: output }) };
    return { ...known, p_least: report.given("p_least", known) };
  }

  // What is said of the layer follows once its picture is on the screen.
  let waiting = false;
  function showResults() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() =>
      setTimeout(() => {
        waiting = false;
        if (shown !== null) fillResults(shown.layer);
      }),
    );
  }

  function fillResults(layer) {
    const hasFormula = layer.operation.keys.includes("kernel_size") || (layer.operation.adaptive && shown.scene !== null);
    byId("formula-section").hidden = !hasFormula;
    if (hasFormula) byId("formula").replaceChildren(...formulasOf(layer));
    byId("equivalent-section").hidden = !layer.transposed;
    if (layer.transposed) byId("equivalent").replaceChildren(equivalent(layer));
    byId("left").textContent = leftOver(layer);
    byId("costs").replaceChildren(...costs(layer).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
    byId("differ-section").hidden = !(layer.operation.name in data.notations);
    if (!byId("differ-section").hidden) byId("differ").replaceChildren(differences(layer));
    byId("code").replaceChildren(...takeaways());
    if (!byId("solve").contains(document.activeElement)) {
      byId("solve-input").value = layer.input_size.join("x");
      byId("solve-output").value = layer.output_size.join("x");
    }
  }

  function formulasOf(layer) {
    const quantity = layer.transposed || layer.operation.operand === "indices" ? ["o_prime"] : layer.ceil_mode ? ["o_ceil"] : ["o"];
    const wanted = layer.operation.adaptive ? ["e_first", "e_last"] : quantity;
    const perAxis = layer.axes.map((_, axis) => quantities(layer, axis));
    const alike = new Set(perAxis.map((values) => JSON.stringify(values))).size === 1;
    const used = [];
    const worked = (alike ? perAxis.slice(0, 1) : perAxis).flatMap((values, axis) => {
      const found = wanted.flatMap((name) => report.about(name, values));
      const name = alike ? "" : `${["Rows", "Columns"][axis]}: `;
      used.push(...found);
      return found.map((one) => {
        const given = report.conditions(one).flatMap((condition, n) => [n ? ", " : "where ", condition]);
        const title = element("div", { class: "title" }, `${name}${one.title}`);
        const math = element("div", { class: "math", tabindex: "0", role: "group", "aria-label": one.title }, report.worked(one, values));
        return element("div", { class: "formula" }, title, math, element("div", { class: "conditions" }, ...given));
      });
    });
    const meanings = report.meanings(used).flatMap(([symbol, meaning], n) => [n ? "; " : "", symbol, ` ${meaning}`]);
    return [...worked, element("p", { class: "caption" }, ...meanings)];
  }

  function equivalent(layer) {
    const { axes, direct } = layer;
    const each = (list, key) => once(list.map((axis) => axis[key]));
    const spread = axes.some((axis) => axis.stride > 1) ? `, inputs ${each(direct, "input_dilation")} apart with zeros between` : "";
    const rows = [
      ["kernel", sizes(layer.kernel_size), `${sizes(layer.kernel_size)}, rotated by 180°`],
      ["stride", each(axes, "stride"), `${each(direct, "stride")}${spread}`],
      ["padding", paddingWords(axes.map((axis) => axis.padding)), paddingWords(direct.map((axis) => axis.padding))],
      ["dilation", each(axes, "dilation"), each(direct, "dilation")],
      ["output padding", each(axes, "output_padding"), "part of the padding"],
    ];
    return table(["parameter", "transposed layer", "convolution"], rows);
  }

  function leftOver(layer) {
    if (shown.scene === null && layer.windowAxes.some((axis) => axis.extent > LONGEST)) {
      const rests = layer.direct.map((axis) => axis.remainder);
      return rests.length && !layer.transposed ? `After the last window: ${sizes(rests.map((rest) => rest))} cells along the axes.` : "";
    }
    const lost = layer.grid.map((axis) => pictures.missed(axis).map((place) => axis.cells[place].input_index));
    const kept = product(layer.input_size.map((size, n) => size - lost[n].length));
    const count = product(layer.input_size) - kept;
    if (count === 0) return "Nothing: every input element is in a window.";
    const names = layer.axes.length === 1 ? ["element"] : ["row", "column"];
    const where = lost.flatMap((found, n) => (found.length ? [`${names[n]}${found.length > 1 ? "s" : ""} ${found.join(", ")}`] : []));
    return `${counted(count, "input element")} of ${product(layer.input_size)} in no window: ${where.join(" and ")} (counted from 0), pale in the picture.`;
  }

  function costs(layer) {
    const { channels } = core.layerOf(plainKeys(shown.keys));
    const { in_channels: ins, out_channels: outs, groups } = channels ?? { in_channels: 1, out_channels: 1, groups: 1 };
    const window = product(layer.kernel_size);
    const [inputs, outputs] = [product(layer.input_size), product(layer.output_size)];
    const rows = [["input", counted(inputs * ins, "element")], ["output", counted(outputs * outs, "element")]];
    const work = { maximum: ["comparisons", window - 1], average: ["additions", window - 1], norm: ["powers", window] };
    if (layer.weighted) {
      const weights = (window * ins * outs) / groups;
      const places = layer.transposed ? inputs : outputs;
      rows.push(["weights", `${grouped(weights)}, with biases ${grouped(weights + outs)}`]);
      rows.push(["multiply–adds", `${grouped(places * weights)}, padding included`]);
    } else if (layer.reduction !== null && !layer.operation.adaptive) {
      const [name, each] = work[layer.reduction];
      rows.push([name, `${grouped(outputs * each)}, padding included`]);
    }
    return rows;
  }

  function differences(layer) {
    const numbers = Object.fromEntries(
      ["kernel_size", "stride", "dilation"].map((key) => [key, layer.axes.map((axis) => axis[key]).join(", ")]),
    );
    const rows = data.notations[layer.operation.name].map((template) => {
      const text = template.replace(/\{(\w+)\}/g, (_, key) => (key === "n" ? layer.axes.length : numbers[key]));
      const call = element("code", {}, text);
      try {
        const found = core.layerOf(words.read(text, layer.input_size));
        const count = found.reduction === "average" ? (found.count_include_pad ? ", counted" : ", not counted") : "";
        return [call, `${paddingWords(found.axes.map((axis) => axis.padding))}${found.axes.some((axis) => sum(axis.padding)) ? count : ""}`, sizes(found.output_size)];
      } catch (error) {
        if (!(error instanceof LayerError)) throw error;
        return [call, "refused", error.message];
      }
    });
    return table(["as written", "padding", "output"], rows);
  }

  // Code to copy

  const inToml = (value) => (Array.isArray(value) ? `[${value.map(inToml).join(", ")}]` : JSON.stringify(value));

  function toml() {
    const { layer, keys } = shown;
    const name = layer.operation.words[0].toUpperCase() + layer.operation.words.slice(1);
    const title = `${name}, ${sizes(layer.input_size)} to ${sizes(layer.output_size)}`;
    const view = state.view === "numerical" ? { view: "numerical", ...(keys.input_values ? {} : { values: "random" }) } : {};
    return Object.entries({ title, ...keys, ...view }).map(([key, value]) => `${key} = ${inToml(value)}\n`).join("");
  }

  function drawLine(call) {
    if (call === null || shown.keys.input_values || shown.keys.seed) {
      return "Save the TOML as figures/mine.toml, then: make gifs FIGURES=mine";
    }
    const numbers = state.view === "numerical" || shown.keys.values ? " VALUES=random" : "";
    return `make draw LAYER='${call}' INPUT=${shown.layer.input_size.join("x")}${numbers}`;
  }

  function takeaways() {
    const layer = core.layerOf(plainKeys(shown.keys));
    const page = location.href.replace(/[?#].*/s, "");
    const embedded = `${page}?embed${address()}`.replaceAll("&", "&amp;");
    const texts = [
      ...words.codes(layer).map(([name, lines, reason]) => [name, lines.join("\n"), reason]),
      ["TOML", toml()],
      ["make", drawLine(words.call(layer))],
      ["Link", `${page}${address()}`],
      ["Embed", `<iframe src="${embedded}" width="640" height="640" title="${caption(shown.layer)}"></iframe>`],
    ];
    const rows = texts.map(([name, text, reason]) => (text ? takeaway(name, text, () => text) : missing(name, reason)));
    return shown.scene ? [...rows, takeaway("SVG", "The picture of this step", svgText)] : rows;
  }

  const missing = (name, reason) => element("div", { class: "take" }, element("h3", {}, name), element("p", {}, reason));

  function takeaway(name, text, content) {
    const button = element("button", { type: "button", "aria-label": `Copy ${name}` }, "Copy");
    button.addEventListener("click", () => copy(name, content()));
    return element("div", { class: "take" }, element("h3", {}, name), element("pre", {}, text), button);
  }

  async function copy(name, text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Not allowed here, as in some frames.
      const area = element("textarea", {});
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    byId("copied").textContent = `${name} copied.`;
  }

  const PAINT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "font-size", "font-family", "text-anchor", "dominant-baseline"];

  // The picture as a file of its own, with the colours that it has here.
  function svgText() {
    const svg = byId("svg");
    const clone = svg.cloneNode(true);
    const originals = all("*", svg);
    all("*", clone).forEach((copied, n) => {
      const style = getComputedStyle(originals[n]);
      for (const name of PAINT) copied.setAttribute(name, style.getPropertyValue(name));
      copied.removeAttribute("class");
    });
    for (const empty of all("*", clone).filter((part) => !part.textContent && !part.getAttribute("d"))) empty.remove();
    const [, , width, height] = clone.getAttribute("viewBox").split(" ");
    for (const name of [...clone.getAttributeNames()].filter((one) => one !== "viewBox")) clone.removeAttribute(name);
    clone.setAttribute("width", `${width}pt`);
    clone.setAttribute("height", `${height}pt`);
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = byId("caption").textContent;
    clone.prepend(title);
    return new XMLSerializer().serializeToString(clone);
  }

  // Notation

  // Fill the form from a layer's notation; false, with an error beside the field, if it is none.
  function readNotation(text, size) {
    try {
      const { note, ...keys } = words.read(text, words.parseSize(size));
      if (keys.input_size.length > 2) throw new LayerError("input_size", "has 3 axes", "The explorer has one or two");
      fill(keys);
      say("notation", "");
      return true;
    } catch (error) {
      if (!(error instanceof LayerError || error instanceof words.NotationError)) throw error;
      say("notation", error.message);
      return false;
    }
  }

  // The size of the input as the notation takes it: of as many axes as it has.
  function pasted() {
    const text = byId("notation").value;
    const size = state.keys.input_size;
    const tries = [size, [size[0]], [size[0], size[0]]].map((numbers) => numbers.join("x"));
    if (tries.some((one) => readNotation(text, one))) update();
  }

  // The inverse

  function solve() {
    const read = (id) => words.parseSize(byId(id).value.trim());
    byId("solutions").replaceChildren();
    byId("solve-count").textContent = "";
    try {
      let [input, output] = ["solve-input", "solve-output"].map(read);
      const n = Math.max(input.length, output.length);
      [input, output] = [input, output].map((size) => (size.length === 1 ? Array(n).fill(size[0]) : size));
      if (n > 2 || input.length !== output.length || Math.min(...input, ...output) < 1 || Math.max(...input, ...output) > 1000) {
        throw new words.NotationError("Give one or two numbers from 1 to 1000 for each, such as 5x7 and 3x4.");
      }
      say("solve", "");
      showSolutions(input, output);
    } catch (error) {
      if (!(error instanceof words.NotationError)) throw error;
      say("solve", error.message.replace("INPUT: c", "C"));
    }
  }

  function showSolutions(input, output) {
    const limits = core.usualBounds(input, output);
    if (product(Object.values(limits)) > MOST_CANDIDATES) {
      byId("solve-count").textContent = "The sizes are too far apart for a layer that anyone uses; make solve lists them all.";
      return;
    }
    const found = core.solutions(input, output, limits);
    const within = `kernel ${limits.kernel_size}, stride ${limits.stride}, padding ${limits.padding} and dilation ${limits.dilation}`;
    if (found.length) {
      const first = found.length > MOST_SOLUTIONS ? `, of which the ${MOST_SOLUTIONS} most usual` : ", the most usual first";
      byId("solve-count").textContent = `${counted(found.length, "layer")} up to ${within}${first}:`;
    } else {
      const bad = input.findIndex((size, n) => !core.reachable(size, limits).includes(output[n]));
      const near = bad < 0 ? [] : nearest(core.reachable(input[bad], limits), output[bad]);
      const remedy = bad < 0 ? "Solve for each axis." : `From ${input[bad]}, the nearest sizes are ${near.join(" and ")}.`;
      byId("solve-count").textContent = `No layer up to ${within}. ${remedy}`;
    }
    byId("solutions").replaceChildren(
      ...found.slice(0, MOST_SOLUTIONS).map((layer) => {
        const button = element("button", { type: "button" }, words.call(layer));
        button.addEventListener("click", () => {
          byId("notation").value = words.call(layer);
          if (readNotation(words.call(layer), input.join("x"))) update();
        });
        return element("li", {}, button);
      }),
    );
  }

  function nearest(found, wanted) {
    const place = found.findIndex((size) => size > wanted);
    return place < 0 ? found.slice(-1) : found.slice(Math.max(place - 1, 0), place + 1);
  }

  // The player

  let playing = null;

  function go(step) {
    if (!shown?.scene) return;
    const count = product(shown.layer.output_size);
    state.step = Math.min(Math.max(step, 0), count - 1);
    byId("scrub").value = state.step;
    showStep();
    if (shown.layer.operation.adaptive) byId("formula").replaceChildren(...formulasOf(shown.layer));
    save();
  }

  function play(on) {
    clearInterval(playing);
    playing = null;
    byId("play").textContent = on ? "Pause" : "Play";
    byId("play").setAttribute("aria-pressed", String(on));
    byId("sum").setAttribute("aria-live", on ? "off" : "polite");
    if (!on) return;
    const advance = () => {
      if (!shown?.scene) return;
      go((state.step + 1) % product(shown.layer.output_size));
    };
    playing = setInterval(advance, 1000 / Number(byId("speed").value));
  }

  const KEYS = {
    ArrowLeft: () => go(state.step - 1),
    ArrowRight: () => go(state.step + 1),
    ArrowUp: () => go(state.step - shown.scene.output.columns),
    ArrowDown: () => go(state.step + shown.scene.output.columns),
    Home: () => go(0),
    End: () => go(Infinity),
    " ": () => play(playing === null),
  };

  function pointed(event) {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(byId("svg").getScreenCTM().inverse());
    const number = shown?.scene ? pictures.elementAt(shown.scene, place.x, place.y) : null;
    if (number === null) return;
    play(false);
    go(number);
  }

  // Events

  function changedField(event) {
    const input = event.target;
    if (input.type === "range") byId(input.id.replace(/-slider$/, "")).value = input.value;
    else if (input.type === "number") {
      const slider = byId(`${input.id}-slider`);
      if (slider) slider.value = input.value;
    }
    if (input.id === "values" && input.value === "given") giveValues();
    if (input.id === "operation" && operation().adaptive) {
      for (const axis of [0, 1]) if (!field("output_size", axis).value) setNumber(field("output_size", axis), 3);
    }
    if (input.id === "operation" && operation().keys.includes("kernel_size")) {
      for (const axis of [0, 1]) if (!field("kernel_size", axis).value) setNumber(field("kernel_size", axis), 3);
    }
    if (input.id === "operation" && !operation().adaptive) for (const axis of [0, 1]) setNumber(field("output_size", axis), null);
    arrange();
    update();
  }

  // Start from the values that are shown, or from random ones.
  function giveValues() {
    const found = shown?.input ? shown : core.figure({ ...state.keys, values: "random" });
    const rows = ({ shape, data: numbers }) => {
      const width = shape.at(-1);
      return range(0, numbers.length / width).map((n) => numbers.slice(n * width, (n + 1) * width).join(" ")).join("\n");
    };
    byId("input_values").value = rows(found.input);
    if (found.operand) byId(found.layer.operation.operand).value = rows(found.operand);
  }

  function listen() {
    byId("layer").addEventListener("input", changedField);
    for (const [id, act] of [["layer", () => {}], ["paste", pasted], ["solve", solve]]) {
      byId(id).addEventListener("submit", (event) => {
        event.preventDefault();
        act();
      });
    }
    for (const radio of all('input[name="view"]')) {
      radio.addEventListener("change", () => {
        state.view = radio.value;
        update({ keepStep: true });
      });
    }
    byId("play").addEventListener("click", () => play(playing === null));
    byId("previous").addEventListener("click", () => go(state.step - 1));
    byId("next").addEventListener("click", () => go(state.step + 1));
    byId("scrub").addEventListener("input", () => go(Number(byId("scrub").value)));
    byId("speed").addEventListener("change", () => play(playing !== null));
    byId("picture").addEventListener("keydown", (event) => {
      if (!(event.key in KEYS) || !shown?.scene) return;
      event.preventDefault();
      KEYS[event.key]();
    });
    byId("svg").addEventListener("pointerdown", pointed);
    byId("svg").addEventListener("pointermove", (event) => event.buttons && pointed(event));
    addEventListener("hashchange", follow);
    byId("whole").addEventListener("pointerenter", link);
    byId("whole").addEventListener("focus", link);
  }

  // The page that an embedded one links to has the same state.
  function link() {
    byId("whole").href = `${location.href.replace(/[?#].*/s, "")}${address()}`;
  }

  if (new URLSearchParams(location.search).has("embed")) document.documentElement.classList.add("embed");
  listen();
  follow();
})();
