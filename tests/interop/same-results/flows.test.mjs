// The flows, in this order: what finds and associates goes first, for afterwards records are merged and erased.

import "./search.mjs";
import "./related.mjs";
import "./written.mjs";
import "./records.mjs";
