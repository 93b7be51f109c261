// Keeps the live message in sight, unless the person has scrolled away to read something else.
const seen = new Set();
export default function ({ data, parentElement }) {
  const main = document.querySelector('[data-testid="stMain"]');
  if (!main) return;
  const hidden = main.scrollHeight - main.scrollTop - main.clientHeight;
  if (seen.has(data.message) && hidden > 240) return;
  seen.add(data.message);
  requestAnimationFrame(() => main.scrollTo({ top: main.scrollHeight, behavior: "smooth" }));
}
