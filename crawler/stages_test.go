package crawler

// stages are the platforms a month is played on.
var stages = []stage{}
