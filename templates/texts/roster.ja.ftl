## Login IDs
login-id-empty = ログインIDを入力してください。
login-id-too-long = ログインIDが長すぎます。
login-id-format = ログインIDは「7132-091200001」のように、保険者コード、ハイフン、記号・番号の順に数字で入力してください。メールアドレスで登録した方はメールアドレスを入力してください。
login-id-unknown-insurer = ログインIDの先頭の保険者コードをご確認ください。
login-id-ambiguous = 保険者コードの後にハイフン(-)を入れて入力してください。
login-id-digits = 記号は{ $symbol }桁、番号は{ $number }桁です。桁数に満たない場合は前に0を付けてください(例:{ $short }→{ $padded })
login-id-email = メールアドレスの形をご確認ください。

## Names, dates, e-mail addresses
insurer-number-empty = 保険者番号を入力してください。
insurer-number-digits = 保険者番号は8桁の数字で入力してください。
insurer-number-check-digit = 保険者番号に誤りがあります。8桁の数字をもう一度ご確認ください。
insurer-number-unknown = この保険者番号の健康保険組合は、このサービスを利用していません。保険者番号をご確認ください。
kana-empty = 氏名(カタカナ)を入力してください。
kana-too-long = 氏名(カタカナ)が長すぎます。
kana-not-kana = 氏名はカタカナで入力してください。
date-empty = 日付を入力してください。
date-format = 日付は「19990121」「1999年1月21日」「平成11年1月21日」のように入力してください。
date-no-such-day = その日付は存在しません。
date-outside-era = その元号にその日付はありません。
email-empty = メールアドレスを入力してください。
email-too-long = メールアドレスが長すぎます。
email-format = メールアドレスの形をご確認ください。

## Passwords
password-too-short = パスワードは{ $min }文字以上にしてください。
password-too-long = パスワードは{ $max }文字以内にしてください。
password-birth-date = 生年月日を含むパスワードは使えません。
password-login-id = ログインIDや記号・番号を含むパスワードは使えません。
password-name = 氏名を含むパスワードは使えません。
password-email = メールアドレスを含むパスワードは使えません。
password-common = よく使われるパスワードのため使えません。
password-weak = 推測されやすいパスワードです。もう少し長くするか、関連のない言葉を組み合わせてください。

## Roster files as a whole
roster-file-header = 1行目に見出しがありません。列名は次のとおりです: { $header }
roster-file-encoding = ファイルの文字コードがUTF-8でもShift_JISでもありません。
roster-file-column-unknown = 見出しの{ $position }列目は決められた列名ではありません。
roster-file-column-twice = 見出しに「{ $column }」が2回あります。
roster-file-column-missing = 見出しに「{ $column }」がありません。
roster-file-empty = 全件の適用台帳に取り込める行がありません。
roster-file-nothing = 取り込める行が1行もありません。
roster-file-failed = 取り込みの途中で問題が起きました。何も変更していません。もう一度お試しください。

## Rows of a roster
roster-row-encoding = 文字コードが正しくありません(文字化けの可能性があります)。
roster-row-too-long = 1行が{ $limit }バイトを超えています。
roster-row-quotes = 引用符(")が閉じていません。
roster-row-columns = 列数が見出し({ $expected }列)と合いません。
roster-row-too-many-cells = 列が多すぎます。
roster-row-insurer = 保険者番号がこの保険者のものではありません。
roster-row-symbol = 記号は{ $digits }桁以内の数字です。
roster-row-number = 番号は{ $digits }桁以内の数字です。
roster-row-branch = 枝番は2桁以内の数字です。
roster-row-category = 区分は「一般被保険者」「被扶養者」「任意継続被保険者」のいずれかです。
roster-row-kana = 氏名カナはカタカナで、空にはできません。
roster-row-date = 「{ $column }」の日付が正しくありません。
roster-row-born-later = 生年月日が今日より後です。
roster-row-period = 資格喪失日が資格取得日より前です。
roster-row-person-key = 個人キーは半角の英数字と記号(- _ . :)で64文字以内、先頭は英数字です。
roster-row-email = メールアドレスが正しくありません。
roster-row-duplicate = { $earlier }行目と同じ人です。
roster-row-number-taken = { $earlier }行目の一般被保険者と記号・番号が同じです。

## The report of an import
roster-report-applied = 取り込みました。
roster-report-preview = 確認だけを行いました。何も変更していません。
roster-report-not-applied = 取り込めない行があるため、何も変更していません。
roster-report-counts = 追加 { $added }件、変更 { $changed }件、変更なし { $unchanged }件、資格喪失 { $lost }件、取り込めない行 { $refused }件
roster-report-without-key = 個人キーのない行が{ $count }行あります。個人キーがないと、区分や記号・番号が変わった方(退職して任意継続になった方など)は別の方として扱われ、アカウントが引き継がれません。
roster-report-line = 行
roster-report-reason = 理由
roster-report-more = ほかに{ $count }行あります。
