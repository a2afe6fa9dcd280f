// Follows the log live: entries come as Server-Sent Events, and each becomes a line at the head of the table. Nothing that comes
// is ever taken for HTML. Without this script all pages work, but for this button.
"use strict";
(() => {
  const button = document.getElementById("follow");
  const told = document.getElementById("follow-status");
  const entries = document.getElementById("entries");
  if (!button || !told || !entries || !window.EventSource) return;

  const MOST = 500; // lines that stay in the page
  const AGAIN = 5000; // milliseconds after which a refused browser asks again
  const columns = [...document.querySelectorAll("table.entries thead th")].map((head) => head.className);
  let source = null;
  let timer = 0;
  let last = button.dataset.after;
  let seen = 0;

  const say = (text) => { told.textContent = text; };
  const count = () => (seen === 1 ? "1 new entry" : `${seen} new entries`);

  const cell = (kind, { text, note }, href) => {
    const made = document.createElement("td");
    made.className = kind;
    if (kind === "time") {
      const link = document.createElement("a");
      link.setAttribute("href", href);
      link.textContent = text;
      made.append(link);
    } else {
      made.append(text);
    }
    if (note) {
      const small = document.createElement("small");
      small.textContent = note;
      made.append(small);
    }
    return made;
  };

  const show = (row) => {
    const line = document.createElement("tr");
    line.className = `${row.severity} fresh`;
    row.cells.forEach((content, place) => line.append(cell(columns[place], content, row.href)));
    document.getElementById("none")?.remove();
    entries.prepend(line);
    while (entries.children.length > MOST) entries.lastElementChild.remove();
  };

  const reached = (event) => { last = event.lastEventId; };

  const open = () => {
    const address = new URL(button.dataset.events, location.href);
    address.searchParams.set("after", last);
    source = new EventSource(address);
    source.addEventListener("open", () => say(seen ? `Following · ${count()}` : "Following · waiting for entries"));
    source.addEventListener("entry", (event) => {
      if (BigInt(event.lastEventId) <= BigInt(last)) return;
      reached(event);
      seen += 1;
      show(JSON.parse(event.data));
      say(`Following · ${count()}`);
    });
    source.addEventListener("reached", reached);
    source.addEventListener("ended", (event) => say(`Interrupted: ${JSON.parse(event.data).message}`));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) {
        say("The service refuses to be followed; asking again. Load the page again to see why.");
        timer = setTimeout(open, AGAIN);
      } else if (!told.textContent.startsWith("Interrupted")) {
        say("The connection is lost; connecting again");
      }
    });
  };

  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
    say(seen ? `Stopped · ${count()}` : "");
  };

  button.addEventListener("click", () => {
    const following = button.getAttribute("aria-pressed") === "true";
    button.setAttribute("aria-pressed", String(!following));
    button.textContent = following ? "Follow live" : "Stop following";
    if (following) close(); else open();
  });
  button.hidden = false;
})();
