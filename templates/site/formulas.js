// The report's relationships in the browser: which of them hold for a layer, with its numbers filled in, as MathML.
//
// An expression is a number, a symbol's name, or [function, …expressions]; scripts/site/explorer.py makes them from
// report/relationships.toml.
"use strict";

function formulas({ symbols, relationships }) {
  const MATHML = "http://www.w3.org/1998/Math/MathML";
  const mod = (a, b) => a - b * Math.floor(a / b);
  const FUNCTIONS = {
    "+": (a, b) => a + b,
    "-": (a, b) => a - b,
    "*": (a, b) => a * b,
    "/": (a, b) => a / b,
    floor: Math.floor,
    ceiling: Math.ceil,
    Mod: mod,
    Max: Math.max,
    Min: Math.min,
    Eq: (a, b) => a === b,
    "<": (a, b) => a < b,
    "<=": (a, b) => a <= b,
    ">=": (a, b) => a >= b,
  };

  function value(expression, values) {
    if (typeof expression === "number") return expression;
    if (typeof expression === "string") return values[expression];
    const [name, ...inner] = expression;
    return FUNCTIONS[name](...inner.map((one) => value(one, values)));
  }

  function names(expression) {
    if (typeof expression === "string") return [expression];
    return Array.isArray(expression) ? expression.slice(1).flatMap(names) : [];
  }

  // Whether a relationship is about a layer with these values: all of its symbols are known, those that it does not have
  // are at their defaults, and its conditions hold.
  function holds(relationship, values) {
    const { quantity, formula, conditions } = relationship;
    const known = new Set([quantity, ...[formula, ...conditions].flatMap(names)]);
    if ([...known].some((name) => values[name] === undefined)) return false;
    const isDefault = ([name, { default: otherwise }]) => otherwise === undefined || values[name] === otherwise;
    if (!Object.entries(symbols).every(([name, one]) => known.has(name) || values[name] === undefined || isDefault([name, one]))) {
      return false;
    }
    return conditions.every((condition) => value(condition, values)) && value(formula, values) === values[quantity];
  }

  // The value of a quantity that a relationship gives, whatever else is known.
  const given = (quantity, values) => value(relationships.find((one) => one.quantity === quantity).formula, values);

  // The relationship for a quantity that says the most specific thing of a layer, and the one that says the most general.
  function about(quantity, values) {
    const found = relationships.filter((one) => one.quantity === quantity && holds(one, values));
    if (!found.length) return [];
    const special = found.reduce((best, one) => (one.conditions.length > best.conditions.length ? one : best));
    return [...new Set([special, found.find((one) => !one.conditions.length) ?? found.at(-1)])];
  }

  // MathML

  function node(name, ...children) {
    const found = document.createElementNS(MATHML, name);
    found.append(...children);
    return found;
  }

  function symbol(name) {
    const { base, below } = symbols[name];
    const letter = node("mi", base.replace("′", ""));
    const primed = base.includes("′") ? node("msup", letter, node("mo", "′")) : letter;
    return below ? node("msub", primed, node("mtext", below)) : primed;
  }

  function number(found) {
    return found < 0 ? [node("mo", "−"), node("mn", String(-found))] : [node("mn", String(found))];
  }

  const PRECEDENCE = { "+": 1, "-": 1, "*": 2, Eq: 0, "<": 0, "<=": 0, ">=": 0 };
  const fenced = (open, inner, close) => [node("mo", open), ...inner, node("mo", close)];

  // An expression as a row of MathML; with values, they are in the place of symbols.
  function row(expression, values = null) {
    if (typeof expression === "number") return number(expression);
    if (typeof expression === "string") return values === null ? [symbol(expression)] : number(values[expression]);
    const [name, ...inner] = expression;
    const part = (one, least) => {
      const written = row(one, values);
      const weak = Array.isArray(one) && (PRECEDENCE[one[0]] ?? 3) < least;
      const negative = values !== null && typeof one === "string" && values[one] < 0;
      return weak || negative ? fenced("(", written, ")") : written;
    };
    switch (name) {
      case "floor":
        return fenced("⌊", row(inner[0], values), "⌋");
      case "ceiling":
        return fenced("⌈", row(inner[0], values), "⌉");
      case "/":
        return [node("mfrac", node("mrow", ...row(inner[0], values)), node("mrow", ...row(inner[1], values)))];
      case "*": {
        const dot = values !== null || typeof inner[1] === "number" ? [node("mo", "·")] : [node("mo", "\u2062")];
        return [...part(inner[0], 2), ...dot, ...part(inner[1], 2)];
      }
      case "+":
        return [...part(inner[0], 1), node("mo", "+"), ...part(inner[1], 1)];
      case "-":
        return [...part(inner[0], 1), node("mo", "−"), ...part(inner[1], 2)];
      case "Mod":
        return [...part(inner[0], 2), node("mo", "mod"), ...part(inner[1], 2)];
      case "Max":
      case "Min":
        return [node("mi", name.toLowerCase()), ...fenced("(", [...row(inner[0], values), node("mo", ","), ...row(inner[1], values)], ")")];
      default: {
        const mark = { Eq: "=", "<=": "≤", ">=": "≥" }[name] ?? name;
        return [...row(inner[0], values), node("mo", mark), ...row(inner[1], values)];
      }
    }
  }

  // A relationship as MathML: the formula, the same with numbers, and the result.
  function worked(relationship, values) {
    const { quantity, formula } = relationship;
    const result = number(values[quantity]);
    const math = node("math", symbol(quantity), node("mo", "="), ...row(formula));
    if (Array.isArray(formula)) math.append(node("mo", "="), ...row(formula, values));
    math.append(node("mo", "="), ...result);
    return math;
  }

  // The symbols of relationships, each with its meaning.
  function meanings(found) {
    const used = new Set(found.flatMap(({ quantity, formula, conditions: given }) => [quantity, formula, ...given].flatMap(names)));
    return Object.entries(symbols).filter(([name]) => used.has(name)).map(([name, { meaning }]) => [node("math", symbol(name)), meaning]);
  }

  // The conditions of a relationship.
  const conditions = (relationship) => relationship.conditions.map((condition) => node("math", ...row(condition)));

  return { about, worked, conditions, meanings, given };
}
