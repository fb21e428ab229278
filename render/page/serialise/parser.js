
	// What the parser would make of an element depends on what is open round it.
	// These say what is, as far as it matters.
	const P = 1, A = 2, NOBR = 4, BUTTON = 8, LI = 16, DD = 32, HEADING = 64, FORM = 128, TEMPLATE = 256, OPTION = 512;
	const CLOSES_P = words('address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header hgroup main menu nav ol p search section summary ul h1 h2 h3 h4 h5 h6 pre listing form plaintext xmp hr li dd dt');
	const HEADINGS = words('h1 h2 h3 h4 h5 h6'), BARRIER = words('applet caption table td th marquee object template');
	const SPECIAL = words('applet article aside blockquote body button caption center details dir dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup html iframe li listing main marquee menu nav noscript object ol pre search section select summary table tbody td template textarea tfoot th thead tr ul xmp dd dt');

	// Whether the parser would close something open when it meets the tag.
	const breaks = (tag, ctx) => !!(ctx & P && (CLOSES_P.has(tag) || tag === 'table' && !quirks)) || tag === 'a' && !!(ctx & A) || tag === 'nobr' && !!(ctx & NOBR) || tag === 'button' && !!(ctx & BUTTON) ||
		tag === 'li' && !!(ctx & LI) || (tag === 'dd' || tag === 'dt') && !!(ctx & DD) || HEADINGS.has(tag) && !!(ctx & HEADING) || tag === 'form' && (ctx & (FORM | TEMPLATE)) === FORM || tag === 'option' && !!(ctx & OPTION);
	// What is open inside the tag.
	const inside = (tag, ctx) => {
		let c = ctx & ~(HEADING | OPTION);
		if (BARRIER.has(tag)) c &= ~(P | NOBR | BUTTON);
		if (BARRIER.has(tag) && tag !== 'table') c &= ~A;
		if (SPECIAL.has(tag)) c &= ~(LI | DD);
		switch (tag) {
		case 'p': return c | P;
		case 'a': return c | A;
		case 'nobr': return c | NOBR;
		case 'button': return c & ~P | BUTTON;
		case 'li': return c | LI;
		case 'dd': case 'dt': return c | DD;
		case 'form': return c | FORM;
		case 'option': return c | OPTION;
		}
		return HEADINGS.has(tag) ? c | HEADING : c;
	};
	// An applet is nothing to the renderer, but the parser does not look past it.
	const fenced = (tag, ctx, write) => '<applet data-candor-made style="display:contents">' + (tag === 'form' ? '</form>' : '') + write(ctx & (tag === 'form' ? TEMPLATE : FORM | TEMPLATE)) + '</applet>';

	// What is fenced is no child of its parent to a selector any more: what the
	// rules that say so have given it, it gets for itself.
	const CLOSE = /[>+~]|:(nth|first|last|only)-/;
	const apart = el => {
		const c = getComputedStyle(el), look = rules => {
			for (const r of rules) {
				if (r instanceof CSSStyleRule && CLOSE.test(r.selectorText)) {
					let is = false;
					try { is = el.matches(r.selectorText); } catch {} // relative to another
					if (is) for (const p of r.style) { const v = c.getPropertyValue(p); if (v) style(el, p + ':' + v + '!important;'); }
				}
				if (r.cssRules && r.cssRules.length) look(r.cssRules);
			}
		};
		const r = Node.prototype.getRootNode.call(el);
		for (const s of [...((r === document ? sheetsOf(r) : r.styleSheets) || []), ...adoptedOf(r)]) if (!s.disabled) try { look(s.cssRules); } catch {} // another origin's
	};

	// Rows and cells that stand where the parser would not leave them get the
	// table round them that it wants, and what it wants not in a table a cell;
	// none of these makes a box.
	const ROW = 1024; // the parent is the table, section or row that a table's part belongs in
	const made = tag => '<' + tag + ' data-candor-made style="all:unset!important;display:contents!important">';
	const LEVELS = ['', 'table', 'tbody', 'tr', 'td'], LEVEL = {table: 1, tbody: 2, thead: 2, tfoot: 2, tr: 3};
	const WANTS = {caption: 1, colgroup: 1, col: 1, tbody: 1, thead: 1, tfoot: 1, tr: 2, td: 3, th: 3};
	const wants = n => { // the level that a node must stand on, 4 for a cell, or 0 for anywhere
		const type = typeOf(n);
		if (type === 3) return /\S/.test(n.data) ? 4 : 0;
		if (type !== 1) return 0;
		if (namespaceOf(n) !== HTML) return 4;
		const tag = nameOf(n);
		return WANTS[tag] || (tag === 'script' || tag === 'style' || tag === 'template' ? 0 : 4);
	};
	// path is what must be opened on one level for something that wants another.
	const path = (at, want) => want >= at ? LEVELS.slice(at + 1, want + 1) : LEVELS.slice(at + 1).concat(LEVELS.slice(1, want + 1));
	const shut = list => list.map(t => '</' + t + '>').reverse().join('');
	const within = (tag, ctx, write) => { // a part of a table that stands in none
		const list = path(4, WANTS[tag]), s = () => list.map(made).join('') + write(ctx & (FORM | TEMPLATE) | ROW) + shut(list);
		return breaks('table', ctx) ? fenced('table', ctx, s) : s();
	};
	const rows = (parent, at, ctx) => {
		let out = '', open = [], last = 0;
		for (const n of nodesOf(parent)) {
			const w = wants(n), type = typeOf(n);
			if (w && w !== at && type === 1) apart(n);
			const s = node(n, w === 4 ? ctx & (FORM | TEMPLATE) : ctx | ROW);
			if (!s) continue;
			if (w) {
				const list = path(at, w);
				if (list.join() !== open.join()) {
					out += shut(open) + list.map(made).join('');
					open = list;
				}
			}
			out += (type === 3 && last === 3 ? '<!---->' : '') + s;
			last = type;
		}
		return out + shut(open);
	};
