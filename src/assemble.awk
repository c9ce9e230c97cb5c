# Assembles the install script from the .sql files of the rooms: a line
# "VALUE_TYPE name: what makes two values the same" becomes the text of
# the template (-v template=FILE); every other line stays as it is.

BEGIN {
	while ((got = (getline line < template)) > 0)
		if (started || line !~ /^(--|$)/) {
			started = 1
			body = body line "\n"
		}
	if (got < 0 || body == "") {
		print "assemble.awk: cannot read " template > "/dev/stderr"
		exit 1
	}
}

FNR == 1 && NR > 1 { print "" }

/^VALUE_TYPE / {
	if (split(substr($0, 12), part, ": ") != 2) {
		print FILENAME ":" FNR ": VALUE_TYPE name: what makes two values the same" > "/dev/stderr"
		exit 1
	}
	text = body
	gsub(/@TYPE@/, part[1], text)
	gsub(/@SAME@/, part[2], text)
	printf "%s", text
	next
}

{ print }
