
	// A field is written with what it holds, and one whose text is scrolled, or
	// that no attribute can bring into its state, with its picture.
	const field = el => {
		const type = el.type, skip = ['value', 'checked', 'src', 'formaction'];
		let out = '';
		if (type === 'checkbox' || type === 'radio') {
			if (el.hasAttribute('value')) out += attribute('value', value(valueOf(el, 'value')));
			if (el.checked) out += attribute('checked', '');
			if (el.indeterminate && type === 'checkbox' && shown(el) && getComputedStyle(el).appearance !== 'none') undecided(el);
		} else if (type === 'image') {
			if (el.src) out += original('src', el.src) + attribute('src', part({k: 'picture', url: el.src, box: inner(el)}));
		} else if (type === 'password') {
			if (el.value) out += attribute('value', '\u2022'.repeat(el.value.length)); // never the secret
		} else if (type !== 'file') {
			if (type !== 'hidden' && (el.value || el.hasAttribute('value'))) out += attribute('value', value(el.value));
			if (leftOf(el) > 0 && plain(el)) covered(el);
		}
		validity(el, type === 'password');
		return '<input' + attributes(el, skip) + out + '>';
	};
	// The browser paints a box a little beyond its edge.
	const undecided = el => {
		const r = box(el), c = getComputedStyle(el);
		if (c.verticalAlign === 'baseline') style(el, 'vertical-align:-' + c.marginBottom + '!important;'); // its own baseline is the box's edge
		style(el, 'appearance:none!important;border:0!important;padding:0!important;background:none!important;box-sizing:border-box!important;width:' + px(r[2]) + '!important;height:' + px(r[3]) + '!important;margin:' + c.margin +
			'!important;border-image:url(' + part({k: 'crop', box: [r[0] - 2, r[1] - 2, r[2] + 4, r[3] + 4]}) + ') 0 fill/0/2px stretch!important;');
	};
	const covered = el => {
		const r = box(el);
		if (r[0] < 0 || r[1] < 0 || r[0] + r[2] > opts.width || r[1] + r[3] > opts.height) return;
		style(el, 'color:transparent!important;-webkit-text-fill-color:transparent!important;border-color:transparent!important;border-style:solid!important;border-radius:0!important;resize:none!important;background:url(' + part({k: 'crop', box: r}) + ') 0 0/100% 100% no-repeat border-box border-box!important;');
	};
	const validity = (el, hidden) => {
		if (!el.validity || !el.willValidate || !(el.validity.customError || hidden)) return;
		if (el.validity.valid) mark(el, 'valid'); else invalid(el);
	};
	const area = el => {
		if ((topOf(el) || leftOf(el)) && plain(el)) covered(el);
		validity(el);
		return '<textarea' + attributes(el) + '>\n' + text(el.value) + '</textarea>';
	};
	// Without any choice the parser would make the first one.
	const select = (el, ctx) => {
		validity(el);
		const none = !el.multiple && el.size < 2 && el.selectedIndex < 0 && el.options.length;
		return '<select' + attributes(el) + '>' + children(el, ctx) + (none ? '<option hidden selected></option>' : '') + '</select>';
	};
