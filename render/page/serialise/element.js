
	const VOID = words('area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr');
	const LINK = /^(https?|mailto|tel|sms|ftp):/i;
	// What the parser would take for something else, or not at all, goes by
	// another name.
	const RENAMED = {xmp: 'listing', plaintext: 'listing', image: 'candor-image', svg: 'candor-svg', math: 'candor-math', html: 'candor-html', body: 'candor-body', head: 'candor-head', frameset: 'candor-frameset', isindex: 'candor-isindex', applet: 'candor-applet', mglyph: 'candor-mglyph', malignmark: 'candor-malignmark'};
	const METADATA = words('base basefont bgsound link meta title noscript noframes style script template');

	const children = (parent, ctx) => {
		let out = '', last = 0;
		for (const n of nodesOf(parent)) {
			const s = node(n, ctx);
			if (!s) continue;
			const type = typeOf(n);
			if (type === 3 && last === 3) out += '<!---->'; // else the parser would join the two
			out += s;
			last = type;
		}
		const wrap = wrapped.size && wrapped.get(parent);
		return wrap ? '<candor-scrolled' + attribute('style', wrap) + '>' + out + '</candor-scrolled>' : out;
	};

	const node = (n, ctx) => {
		switch (typeOf(n)) {
		case 1: return namespaceOf(n) === HTML ? element(n, ctx) : foreign(n, ctx);
		case 3: case 4: {
			const t = text(n.data);
			if (!slotted.size || !slotted.has(n) || !/\S/.test(t)) return t;
			return '<candor-text' + attribute('slot', slotted.get(n)) + ' style="display:contents">' + t + '</candor-text>';
		}
		case 8: return /^-?>|--|<|^\s*candor/.test(n.data) || n.data.includes('\0') || n.data.endsWith('-') ? '<!---->' : '<!--' + n.data + '-->';
		}
		return '';
	};

	const shadow = (r, rules) => '<template shadowrootmode="' + r.mode + '">' + children(r, TEMPLATE) + adopted(r) +
		(rules ? '<style data-candor-frozen>' + part({k: 'css', text: '@layer candor-frozen{' + rules + '}', base, esc: 'style'}) + '</style>' : '') + '</template>';

	const element = (el, ctx) => {
		const name = nameOf(el);
		// To the browser it is an element of no meaning, to the parser one of much.
		if (/[A-Z]|^[^a-z]/.test(name)) {
			const tag = 'candor-' + name.toLowerCase();
			return NAME.test(tag) ? '<' + tag + attributes(el, ['href', 'src', 'srcset', 'data', 'poster', 'action', 'formaction', 'codebase']) + original('tag', name) + '>' + children(el, ctx & ~ROW) + '</' + tag + '>' : children(el, ctx & ~ROW);
		}
		if (breaks(name, ctx)) { apart(el); return fenced(name, ctx, c => element(el, c)); }
		if (WANTS[name] && !(ctx & ROW)) { apart(el); return within(name, ctx, c => element(el, c)); }
		ctx &= ~ROW;
		switch (name) {
		case 'script': return '<script type="text/plain"' + attributes(el, ['src', 'type', 'async', 'defer']) + original('src', el.src) + '></scr' + 'ipt>';
		case 'noscript': style(el, 'display:none!important;'); return '<noscript' + attributes(el) + '></noscript>';
		case 'template': return '<template' + attributes(el, ['shadowrootdelegatesfocus', 'shadowrootclonable', 'shadowrootserializable']) + '></template>';
		case 'base': return '<base' + attributes(el, ['href']) + original('href', el.href) + '>';
		case 'meta': return meta(el);
		case 'link': return link(el);
		case 'style': return sheet(el);
		case 'title': return '<title' + attributes(el) + '>' + text(contentOf(el)) + '</title>'; // to the parser all in it is words
		case 'img': return image(el);
		case 'source': case 'track': return '<' + name + attributes(el, ['src', 'srcset', 'sizes', 'width', 'height']) + original('src', el.src) + original('srcset', el.srcset) + '>';
		case 'canvas': return canvas(el);
		case 'iframe': case 'frame': return frame(el, name);
		case 'embed': return plugin(el, name, 'src');
		case 'noembed': case 'noframes': return '<' + name + attributes(el) + '></' + name + '>';
		}
		if (marks.size && marks.has(el) && marks.get(el).some(m => m === 'modal' || m === 'popover-open' || m === 'fullscreen')) raised(el);
		switch (name) {
		case 'video': case 'audio': return media(el, name);
		case 'object': return plugin(el, name, 'data');
		case 'input': return field(el);
		case 'textarea': return area(el);
		case 'select': return select(el, inside(name, ctx));
		}
		const top = topOf(el), left = leftOf(el);
		if ((top || left) && el !== root && el !== scrollerOf(document)) scrolled(el, top, left);
		const r = shadowOf(el) || closed.size && closed.get(el), rules = r ? prepare(r, el) : '';
		let tag = name, attrs, extras = '';
		switch (name) {
		case 'option': attrs = attributes(el, ['selected']) + (el.selected ? attribute('selected', '') : ''); break;
		case 'form': attrs = attributes(el, ['action']) + original('action', valueOf(el, 'action') && absolute(valueOf(el, 'action'))); break;
		case 'button': attrs = attributes(el, ['formaction']); break;
		case 'a': case 'area': attrs = attributes(el, ['href', 'rel']) + anchor(el); break;
		case 'details': case 'dialog': attrs = attributes(el, ['open']) + (el.open ? attribute('open', '') : ''); break;
		case 'html': if (el === root) return page(el); break;
		case 'body': case 'frameset': if (ctx & BODY) { extras = after + part({k: 'end'}); attrs = attributes(el); ctx = 0; } break;
		}
		if (attrs === undefined) attrs = attributes(el);
		if (tag in RENAMED && !extras && !(name === 'frameset' && nameOf(parentOf(el)) === 'frameset')) {
			tag = RENAMED[tag];
			attrs += original('tag', name);
		} else if (!NAME.test(tag)) return children(el, ctx);
		const open = '<' + tag + attrs + '>' + (extras ? before : '');
		if (VOID.has(name)) return open;
		let nl = '';
		if (tag === 'pre' || tag === 'listing') {
			const first = firstOf(el);
			if (first && typeOf(first) === 3 && first.data.startsWith('\n')) nl = '\n';
		}
		// A form in a form is closed by what fences the outer one.
		const outer = name === 'form' && !(ctx & TEMPLATE) && holds(el, 'form');
		const body = (r ? shadow(r, rules) : '') + (LEVEL[name] ? rows(el, LEVEL[name], inside(name, ctx)) : children(el, inside(name, ctx) | (name === 'colgroup' ? ROW : 0))) + extras;
		const out = open + nl + body + '</' + tag + '>';
		return outer ? '<applet data-candor-made style="display:contents">' + out + '</applet>' : out;
	};
	const BODY = 2048; // the element is the one that the page shows as its body
	let before = '', after = ''; // what stands beside it, for which the parser knows no other place

	const meta = el => {
		const eq = el.httpEquiv;
		if (/^content-language$/i.test(eq)) return '<meta http-equiv="content-language"' + attributes(el) + '>';
		if (el.hasAttribute('charset') || eq || /^referrer$/i.test(el.name)) return '<meta' + attributes(el, ['charset', 'content', 'name']) + (eq ? original('http-equiv', eq) + original('content', el.content) : '') + '>';
		return '<meta' + attributes(el) + '>';
	};

	const anchor = el => {
		const raw = valueOf(el, 'href');
		if (raw === null) return '';
		// What counts is the address the browser makes of it: blanks and line
		// ends inside "javascript:" are nothing to it.
		if (!raw.startsWith('#') && !LINK.test(el.href)) return attribute('href', '#') + original('href', raw.slice(0, 2000));
		// An empty address is the only one that has been visited.
		const self = el.hash && bare(el.href) === here;
		return attribute('href', raw.startsWith('#') ? value(raw) : raw.trim() === '' ? '' : self ? value(el.hash) : value(el.href)) + original('href', el.href) + ' rel="noopener noreferrer nofollow"';
	};

	// In a drawing only its own elements are drawn, in a page only whole drawings.
	const MATHML = 'http://www.w3.org/1998/Math/MathML', POINT = {[SVG]: words('foreignObject desc title'), [MATHML]: words('mi mo mn ms mtext')};
	const annotates = el => namespaceOf(el) === MATHML && nameOf(el) === 'annotation-xml';
	// Where the parser reads HTML inside a drawing or a formula.
	const point = el => !!POINT[namespaceOf(el)] && POINT[namespaceOf(el)].has(nameOf(el)) || annotates(el) && /^(text\/html|application\/xhtml\+xml)$/i.test(valueOf(el, 'encoding') || '');
	// What the parser writes with capitals, and what ends a drawing for it.
	const CAPITALS = new Map('altGlyph altGlyphDef altGlyphItem animateColor animateMotion animateTransform clipPath feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feImage feMerge feMergeNode feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence foreignObject glyphRef linearGradient radialGradient textPath'.split(' ').map(n => [n.toLowerCase(), n]));
	const LEAVES = words('b big blockquote body br center code dd div dl dt em embed font h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var mglyph malignmark');
	// stands says whether the parser will make the same of an element where it is.
	const stands = (el, tag, ns) => {
		const p = parentOf(el), low = tag.toLowerCase();
		if (tag !== (ns === SVG && CAPITALS.get(low) || low) || LEAVES.has(low) || !/^[a-z]/.test(low)) return false;
		const within = p && typeOf(p) === 1 && namespaceOf(p) !== HTML && !point(p);
		if (tag === 'svg' || tag === 'math') return ns === (tag === 'svg' ? SVG : MATHML) && (!within || namespaceOf(p) === ns || tag === 'svg' && annotates(p));
		return within && namespaceOf(p) === ns;
	};
	const foreign = (el, ctx, placed) => {
		const tag = nameOf(el), ns = namespaceOf(el);
		if (!NAME.test(tag) || ns !== SVG && ns !== MATHML) return '';
		if (placed ? LEAVES.has(tag) || /[A-Z]/.test(tag) && CAPITALS.get(tag.toLowerCase()) !== tag : !stands(el, tag, ns)) return '';
		switch (tag) {
		case 'script': return '<script type="text/plain"></scr' + 'ipt>';
		case 'style': return ns === SVG ? sheet(el) : '';
		case 'use': return use(el);
		case 'image': case 'feImage': {
			const href = valueOf(el, 'href') || el.getAttributeNS(XLINK, 'href');
			return '<' + tag + attributes(el, ['href', 'xlink:href']) + (href ? href.startsWith('#') ? attribute('href', value(href)) : original('href', absolute(href).startsWith('data:') ? '' : absolute(href)) + attribute('href', part({k: 'res', url: absolute(href)})) : '') + '>' + foreigners(el) + '</' + tag + '>';
		}
		case 'a': return '<a' + attributes(el, ['href', 'xlink:href']) + original('href', absolute(valueOf(el, 'href') || el.getAttributeNS(XLINK, 'href') || '')) + '>' + foreigners(el) + '</a>';
		case 'animate': case 'animateTransform': case 'animateMotion': case 'set': return '';
		}
		if (tag === 'svg' && (topOf(el) || leftOf(el)) && el !== root) scrolled(el, topOf(el), leftOf(el));
		// References into other files take their target from what was received.
		const html = point(el), encoding = annotates(el) && html ? attribute('encoding', 'text/html') : '';
		return '<' + tag + attributes(el, annotates(el) ? ['href', 'xlink:href', 'src', 'encoding'] : ['href', 'xlink:href', 'src']) + encoding + reference(el) + '>' + (html ? children(el, 0) : foreigners(el)) + '</' + tag + '>';
	};
	const reference = el => {
		const href = valueOf(el, 'href') || el.getAttributeNS(XLINK, 'href');
		return !href ? '' : href.startsWith('#') ? attribute('href', value(href)) : bare(absolute(href)) === here && href.includes('#') ? attribute('href', value('#' + href.split('#')[1])) : original('href', absolute(href));
	};
	const foreigners = el => {
		let out = '';
		for (const n of nodesOf(el)) if (typeOf(n) !== 1 || namespaceOf(n) !== HTML) out += node(n, 0);
		return out;
	};
