// The page works without this script. With it, what changes is changed in
// place each second, and buttons work without leaving the page.
const touched = new WeakSet(); // fields that somebody has typed into
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let shown = "", busy = false, telling;

// sync makes a list like the newer one, item by item, by their ids.
function sync(list, newer) {
  let place = list.firstElementChild;
  for (const item of [...newer.children]) {
    const old = [...list.children].find((child) => child.id === item.id);
    if (!old) {
      list.insertBefore(item, place);
      if (item.matches("[data-arrives]") && !calm.matches)
        item.animate([{ opacity: 0, transform: "translateY(-6px)" }, { opacity: 1, transform: "none" }], 400);
      continue;
    }
    if (old === place) place = place.nextElementSibling;
    else list.insertBefore(old, place);
    replace(old, item);
  }
  while (place) {
    const next = place.nextElementSibling;
    place.remove();
    place = next;
  }
}

function replace(old, item) {
  if (old.isEqualNode(item)) return;
  if (old.matches("[data-list]") && item.matches("[data-list]")) return sync(old, item);
  if (old.matches("[role=status]")) return [old.className, old.textContent] = [item.className, item.textContent];
  for (const field of old.querySelectorAll("input[id], select[id]")) {
    const same = item.querySelector("#" + CSS.escape(field.id));
    if (!same || !touched.has(field)) continue;
    [same.value, same.checked] = [field.value, field.checked];
    touched.add(same);
  }
  const focus = old.contains(document.activeElement) && document.activeElement.id;
  old.replaceWith(item);
  if (focus) (document.getElementById(focus) ?? item).focus({ preventScroll: true });
}

function show(text) {
  document.body.classList.remove("gone");
  if (text === shown) return;
  shown = text;
  const newer = new DOMParser().parseFromString(text, "text/html");
  for (const open of document.querySelectorAll("details[id][open]"))
    newer.getElementById(open.id)?.setAttribute("open", "");
  sync(document.getElementById("live"), newer.getElementById("live"));
}

async function ask(...what) {
  try {
    const answer = await fetch(...what);
    if (answer.ok) show(await answer.text());
  } catch {
    document.body.classList.add("gone");
  }
}

// tell repeats what came of a button, for a while, to those who have scrolled
// past where it stands.
function tell() {
  const said = document.getElementById("said"), toast = document.getElementById("toast");
  const top = Math.max(0, document.getElementById("top").getBoundingClientRect().bottom);
  clearTimeout(telling);
  toast.hidden = said.getBoundingClientRect().bottom > top;
  [toast.className, toast.textContent] = ["toast " + said.className, said.textContent];
  telling = setTimeout(() => (toast.hidden = true), 6000);
}

async function watch() {
  if (!document.hidden && !busy) await ask("/");
  setTimeout(watch, 1000);
}

document.addEventListener("input", (e) => touched.add(e.target));

document.addEventListener("submit", async (e) => {
  e.preventDefault();
  if (busy) return;
  busy = true;
  const form = e.target;
  const fields = new URLSearchParams(new FormData(form, e.submitter));
  if (form.matches(".pop")) form.closest("details").removeAttribute("open");
  if (!form.matches("[data-keep]")) {
    form.reset();
    for (const field of form.elements) touched.delete(field);
  }
  await ask(form.getAttribute("action"), { method: "POST", body: fields });
  busy = false;
  tell();
});

watch();
