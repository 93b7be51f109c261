// An answer with its citation chips. All content arrives as JSON and is set as text, never as markup.
export default function ({ data, parentElement, setTriggerValue }) {
  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const sources = new Map(data.sources.map((source) => [source.number, source]));
  const where = (source) => (source.place ? `${source.title}, ${source.place}` : source.title);

  const chip = (number) => {
    const source = sources.get(number);
    const button = make("button", "chip", String(number));
    button.type = "button";
    button.setAttribute("aria-label", `Citation ${number}: ${where(source)}`);
    button.dataset.testid = `chip-${number}`;
    if (number === data.open) button.classList.add("open");
    const card = make("span", "card");
    card.append(make("span", "card-quote", source.quote), make("span", "card-place", where(source)));
    button.append(card);
    button.onpointerenter = button.onfocus = () => keepInside(card);
    button.onclick = () => setTriggerValue("cite", number);
    return button;
  };

  // A card that would leave the window on the right is pushed back to the left.
  const keepInside = (card) => {
    card.style.marginLeft = "0px";
    const box = card.getBoundingClientRect();
    const over = box.right - (document.documentElement.clientWidth - 8);
    if (over > 0) card.style.marginLeft = `${-over}px`;
  };

  const root = make("div", `answer ${data.kind}`);
  for (const paragraph of data.paragraphs) {
    const block = make("p");
    let glue = null; // the last word before chips stays on one line with them
    for (const part of paragraph) {
      if (part.cite) {
        glue ??= block.appendChild(make("span", "glue"));
        glue.append(chip(part.cite));
      } else {
        const [, text, word] = part.text.match(/^([^]*?)(\S*)$/);
        block.append(text);
        glue = block.appendChild(make("span", word.length < 24 ? "glue" : "", word));
      }
    }
    root.append(block);
  }

  if (data.missing) {
    const line = make("p", "missing", "Missing: ");
    line.append(make("b", "", data.missing));
    root.append(line);
  }

  const foot = make("div", "foot");
  for (const source of data.sources) {
    const button = make("button", "source");
    button.type = "button";
    button.dataset.testid = `source-${source.number}`;
    button.setAttribute("aria-label", `Open source ${source.number}: ${where(source)}`);
    if (source.number === data.open) button.classList.add("open");
    button.append(make("b", "", String(source.number)), make("span", "name", source.title));
    if (source.place) button.append(make("span", "place", source.place));
    if (!source.supported) button.append(make("span", "doubt", "not confirmed"));
    button.onclick = () => setTriggerValue("cite", source.number);
    foot.append(button);
  }
  if (data.sources.length) root.append(foot);

  const bar = make("div", "bar");
  const copy = make("button", "copy", "Copy");
  copy.type = "button";
  copy.setAttribute("aria-label", "Copy the answer with its sources");
  copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(data.copy);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Copying is not allowed here";
    }
    setTimeout(() => (copy.textContent = "Copy"), 1600);
  };
  bar.append(copy);
  if (data.graph !== null) {
    const graph = make("button", "copy", data.graph ? "Hide graph" : "Graph");
    graph.type = "button";
    graph.setAttribute("aria-expanded", String(data.graph));
    graph.title = "What the question names, what was read, and the way to the answer";
    graph.onclick = () => setTriggerValue("graph", true);
    bar.append(graph);
  }
  bar.append(make("span", "cost", data.cost));
  root.append(bar);

  parentElement.querySelector(".mount").replaceChildren(root);
  if (data.fresh) requestAnimationFrame(() => root.scrollIntoView({ block: "nearest", behavior: "smooth" }));
}
