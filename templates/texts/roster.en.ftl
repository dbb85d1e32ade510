## Login IDs
login-id-empty = Enter your login ID.
login-id-too-long = The login ID is too long.
login-id-format = Enter the login ID in digits, as in 7132-091200001: insurer code, hyphen, symbol and number. If you registered with an e-mail address, enter that.
login-id-unknown-insurer = Check the insurer code at the beginning of the login ID.
login-id-ambiguous = Put a hyphen (-) after the insurer code.
login-id-digits = A symbol (記号) has { $symbol } digits and a number (番号) { $number }. Put zeros in front if yours has fewer (such as { $short } → { $padded }).
login-id-email = Check the e-mail address.

## Names, dates, e-mail addresses
insurer-number-empty = Enter the insurer number (保険者番号).
insurer-number-digits = The insurer number (保険者番号) has 8 digits.
insurer-number-check-digit = A digit of the insurer number (保険者番号) is wrong. Please check all 8 digits.
insurer-number-unknown = The society with this insurer number (保険者番号) does not use this service. Please check the number.
kana-empty = Enter your name in katakana.
kana-too-long = The name is too long.
kana-not-kana = Enter your name in katakana.
date-empty = Enter the date.
date-format = Enter the date as 19990121, 1999-01-21 or 平成11年1月21日.
date-no-such-day = There is no such day.
date-outside-era = That era does not have that day.
email-empty = Enter your e-mail address.
email-too-long = The e-mail address is too long.
email-format = Check the e-mail address.

## Passwords
password-too-short = Use { $min } characters or more.
password-too-long = Use { $max } characters at most.
password-birth-date = The password must not contain your birth date.
password-login-id = The password must not contain your login ID or your symbol and number.
password-name = The password must not contain your name.
password-email = The password must not contain your e-mail address.
password-common = Many people use this password. Choose another one.
password-weak = This password is easy to guess. Make it longer or combine unrelated words.

## Roster files as a whole
roster-file-header = The first line is not a header. The columns are: { $header }
roster-file-encoding = The file is neither UTF-8 nor Shift_JIS.
roster-file-column-unknown = Column { $position } of the header has an unknown name.
roster-file-column-twice = The header has the column { $column } twice.
roster-file-column-missing = The header lacks the column { $column }.
roster-file-empty = The full roster has no row that can be imported.
roster-file-nothing = No row of the file can be imported.
roster-file-failed = Something went wrong on the way. Nothing was changed. Please try again.

## Rows of a roster
roster-row-encoding = The encoding is wrong (the text may be garbled).
roster-row-too-long = The row has more than { $limit } bytes.
roster-row-quotes = A quotation mark (") is not closed.
roster-row-columns = The row does not have { $expected } columns as the header does.
roster-row-too-many-cells = The row has too many columns.
roster-row-insurer = The insurer number is not the one of this insurer.
roster-row-symbol = A symbol has { $digits } digits at most.
roster-row-number = A number has { $digits } digits at most.
roster-row-branch = A branch has 2 digits at most.
roster-row-category = The category must be insured, dependent or voluntary.
roster-row-kana = The name must be written in kana and must not be empty.
roster-row-date = The date in { $column } is not valid.
roster-row-born-later = The birth date is later than today.
roster-row-period = The eligibility ends before it begins.
roster-row-person-key = A person key has 64 characters at most: ASCII letters, digits and - _ . :, beginning with a letter or digit.
roster-row-email = The e-mail address is not valid.
roster-row-duplicate = The same person stands in line { $earlier }.
roster-row-number-taken = The insured person in line { $earlier } has the same symbol and number.

## The report of an import
roster-report-applied = The roster was imported.
roster-report-preview = This was a preview. Nothing was changed.
roster-report-not-applied = Nothing was changed, because some rows cannot be imported.
roster-report-counts = { $added } added, { $changed } changed, { $unchanged } unchanged, { $lost } lost eligibility, { $refused } refused
roster-report-without-key = Rows without a person key (個人キー): { $count }. Without it, whoever changes category, symbol or number is taken for another person, and the account does not follow.
roster-report-line = Line
roster-report-reason = Reason
roster-report-more = Further refused rows: { $count }.
