## pages

# What surrounds every page
frame-title-error = エラー:
frame-skip = 本文へ移動
frame-contact = お問い合わせ
frame-language = 表示言語
frame-language-ja = 日本語
frame-language-en = English

contact-phone = 電話 { $phone }
contact-hours = 受付時間
contact-none = ご加入の健康保険組合の事務局へお問い合わせください。

# Forms
form-errors = 入力内容をご確認ください
form-required = 必須
form-optional = 任意
form-back = 戻る
form-restart = 最初からやり直す
form-password-show = パスワードを表示する
form-password-hide = パスワードを隠す

steps-label = 初回登録の流れ
steps-now = ステップ { $now } / { $all }
steps-past = (完了)
steps-start = 開始
steps-login = ログイン
steps-eligibility = 資格照会
steps-documents = 同意
steps-details = 基本設定
steps-confirm = 確認
steps-mail = メール送信
steps-done = 完了

# How a login ID is composed, and the first password
rule-code = 全員共通
rule-symbol = 記号({ $digits }桁)
rule-number = 番号({ $digits }桁)
rule-padding = 桁数に満たない場合は、前に0を付けてください。
rule-example = 記号{ $symbol }・番号{ $number }の場合
rule-general = ログインIDは、健康保険組合ごとのコード、ハイフン(-)、記号、番号をつなげたものです。記号・番号が決められた桁数に満たない場合は、前に0を付けます。
rule-source = 記号・番号は、資格情報のお知らせ・資格確認書・マイナポータルに記載されています。
birth-date-password = 初めてログインするときのパスワードは、生年月日(西暦)の8桁の数字です。
birth-date-example = 2000年1月21日生まれの場合

# Login
login-cancel = ログインせずに「{ $client }」に戻る
login-client = 「{ $client }」にログインします
login-id-title = ログイン
login-id-label = ログインID
login-id-hint = 例: { $example }(全角も可)。ご家族・任意継続の方はメールアドレス
login-id-hint-general = 組合のコード、ハイフン、記号、番号の順(全角も可)。ご家族・任意継続の方はメールアドレス
login-id-next = パスワードを入力する
login-id-by-number = 記号と番号から入力する
login-id-forgot = ログインIDをお忘れの方
login-id-first-time = 初めてご利用の方
login-id-first-time-text = ご家族(被扶養者)・任意継続被保険者の方は、こちらからご登録ください。一般被保険者の方には、ログインIDと最初のパスワードをご案内します。
login-id-register = 初回登録ページに移動する
login-id-error-empty = ログインIDを入力してください。
login-id-error-format = ログインIDの形式が正しくありません。数字とハイフン(-)で入力してください。
login-id-error-digits = 記号は{ $symbol }桁、番号は{ $number }桁です。桁数に満たない場合は前に0を付けてください(例:91→091)。

login-number-title = 記号と番号から入力する
login-number-lead = 記号と番号を入力すると、ログインIDに変換します。
login-number-insurer = 健康保険組合
login-number-insurer-none = 選択してください
login-number-symbol = 記号
login-number-symbol-hint = 例: 91
login-number-number = 番号
login-number-number-hint = 例: 200001
login-number-padding = 桁数に満たない場合の0は、自動で付きます。
login-number-error-insurer = 健康保険組合を選択してください。
login-number-error-symbol = 記号は{ $digits }桁までの数字で入力してください。
login-number-error-number = 番号は{ $digits }桁までの数字で入力してください。

password-title = パスワードの入力
password-label = パスワード
password-hint-first = 初めての方は生年月日8桁(例:20000121)
password-login = ログインする
password-forgot = パスワードをお忘れの方
password-error-empty = パスワードを入力してください。
password-error-wrong = ログインIDまたはパスワードが正しくありません。
password-error-paused = 安全のため、このログインIDの受付を一時的に止めています。{ $minutes }分ほどたってから、もう一度お試しください。

select-title = アカウントの選択
select-signed-in = ログイン中のアカウント
select-continue = このアカウントで進む
select-another = 別のIDでログインする

# First-time registration
start-title = 初回登録
start-lead = あてはまる方をお選びください。
start-family = ご家族(被扶養者)・任意継続被保険者の方
start-family-text = 健康保険の資格を確認し、メールアドレスをログインIDとして登録します。
start-family-ready = 記号・番号と、ご自身で受信できるメールアドレスをご用意ください。
start-family-go = 資格照会に進む
start-insured = 一般被保険者の方
start-insured-text = 次のログインIDとパスワードでログインすると、初回登録に進みます。ご自身で受信できるメールアドレスをご用意ください。
start-login-id = ログインID
start-password = 最初のパスワード
start-password-changes = 初回登録の中で、ご自身で決めた新しいパスワードに変更していただきます。
start-go = ログインページに進む

eligibility-title = 資格照会
eligibility-lead = ご登録になる方ご本人の情報を、資格情報のお知らせなどのとおりに入力してください。
eligibility-insurer-number = 保険者番号
eligibility-insurer-number-hint = 8桁の数字(例: 01234565)
eligibility-branch = 枝番
eligibility-branch-hint = 2桁の数字(例: 01)。わからない場合は空欄のままで構いません。
eligibility-birth-date = 生年月日
eligibility-birth-date-hint = 例: 1999年1月1日、平成11年1月1日、19990101
eligibility-agreement = 入力された情報は、ご加入の健康保険組合が持つ資格の情報と照合します。
eligibility-next = 上記同意の上、個人情報・利用規約同意ステップに進む
eligibility-error-symbol = 記号は{ $digits }桁までの数字で入力してください。
eligibility-error-number = 番号は{ $digits }桁までの数字で入力してください。
eligibility-error-branch = 枝番は{ $digits }桁までの数字で入力するか、空欄にしてください。
eligibility-error-refused = 入力された内容では、ご登録いただける資格を確認できませんでした。記号・番号、氏名、生年月日をもう一度ご確認ください。すでに登録がお済みの方はログインしてください。一般被保険者の方は、この画面からは登録できません。ご不明な場合は事務局へお問い合わせください。
eligibility-error-paused = 安全のため、この記号・番号での照会を一時的に止めています。{ $minutes }分ほどたってから、もう一度お試しください。

documents-title = ご利用にあたっての同意
documents-lead = 内容をお読みになり、同意いただける場合はチェックを入れてください。
documents-version = 版: { $version }
documents-agree-privacy = 個人情報の取り扱いについて同意します
documents-agree-terms = 会員利用規約に同意します
documents-gate-closed = 下までスクロールしてお読みいただくと、チェックできます。
documents-gate-open = 最後まで表示されました。チェックできます。
documents-next = 基本設定ステップに進む
documents-error-privacy = 「個人情報の取り扱いについて」をお読みのうえ、チェックを入れてください。
documents-error-terms = 「会員利用規約について」をお読みのうえ、チェックを入れてください。
documents-error-changed = 文書が新しくなりました。もう一度お読みください。

details-title = 基本設定
details-login-id-fixed = ログインIDは変更できません。
details-kana = 氏名(カタカナ)
details-kana-hint = 例: タケダ ハナコ(ひらがな・半角カナも可)
details-password = 新しいパスワード
details-password-hint = { $min }文字以上。文字の種類は自由です。生年月日やログインIDは使えません。ログイン後も変更できます。
details-email = メールアドレス
details-email-is-login-id = ここで登録するメールアドレスがログインIDとなります。スマートフォンのメールアドレスもご利用いただけます。
details-email-hint = スマートフォンのメールアドレスもご利用いただけます。
details-topics = 配信設定
details-topics-hint = 配信を希望する情報にチェックを入れてください。
details-next = 確認ステップに進む
details-error-kana-empty = 氏名(カタカナ)を入力してください。
details-error-kana-format = 氏名はカタカナで入力してください。
details-error-kana-mismatch = 入力された氏名を確認できませんでした。健康保険に登録されている氏名のカタカナを入力してください。
details-error-password-empty = 新しいパスワードを入力してください。
details-error-password-short = パスワードは{ $min }文字以上で入力してください。
details-error-password-long = パスワードは{ $max }文字以内で入力してください。
details-error-password-guessable = 推測されやすいパスワードです。関係のない言葉を組み合わせるなど、より長いものにしてください。
details-error-password-common = よく使われているパスワードのため、利用できません。別のものにしてください。
details-error-password-personal = 生年月日・ログインID・氏名を含むパスワードは利用できません。
details-error-email-empty = メールアドレスを入力してください。
details-error-email-format = メールアドレスの形式が正しくありません。例: hanako@example.com

strength-label = パスワードの強さ:
strength-0 = まだ短すぎます
strength-1 = 弱い: 推測されやすいパスワードです
strength-2 = やや弱い: もう少し長くしてください
strength-3 = 十分な強さです
strength-4 = とても強いパスワードです

confirm-title = 登録内容の確認
confirm-lead = 次の内容で登録します。よろしければ確認メールを送信してください。
confirm-password = 入力したパスワード(表示しません)
confirm-email-is-login-id = このメールアドレスがログインIDとなります。
confirm-topics-none = 配信を希望しない
confirm-mail = 送信されるメールのURLを{ $life }以内に開き、パスワードを入力すると登録が完了します。
confirm-send = メールを送信する
confirm-error-limit = メールの送信回数が上限に達しました。しばらくたってから、もう一度お試しください。

sent-title = メールを送信しました
sent-incomplete = まだ登録は完了していません。
sent-what-next = メールに記載されているURLを開き、先ほど決めたパスワードを入力してください。
sent-to = 送信先
sent-deadline = 有効期限
sent-deadline-note = 期限({ $life })を過ぎるとURLは無効となり、初回登録を最初からやり直していただくことになります。
sent-waiting = 登録の完了を待っています。完了すると、この画面は自動で切り替わります。
sent-completed = 登録を完了しました
sent-no-mail = メールが届かないとき
sent-no-mail-spam = 迷惑メールフォルダーをご確認ください。
sent-no-mail-carrier = 携帯電話会社の受信制限(ドメイン指定受信など)をご確認ください。
sent-no-mail-address = 送信先のメールアドレスに誤りがないかご確認ください。
sent-resend = メールを再送する
sent-resends-left = あと{ $left }回まで再送できます。再送すると、前のメールのURLは使えなくなります。
sent-resends-none = 再送できる回数の上限に達しました。届かない場合は、メールアドレスをご確認のうえ、事務局へお問い合わせください。
sent-back = 戻ってメールアドレスを訂正する
sent-notice-again = メールを再送しました。前のメールのURLは使えません。新しいメールをご確認ください。
sent-error-not-yet = まだ登録の完了を確認できていません。メールのURLを開き、パスワードを入力してください。

link-title = 登録の完了
link-lead = パスワードを入力して登録を完了してください。
link-hint = 基本設定で決めたパスワードです。生年月日ではありません。
link-complete = 登録を完了する
link-not-you = お心当たりのない場合は、何も入力せずにこの画面を閉じてください。
link-error-wrong = パスワードが正しくありません。あと{ $left }回間違えると、初回登録を最初からやり直していただくことになります。

link-void-title = このURLは使えません
link-void-lead = 次のいずれかの理由で、このURLは無効になっています。
link-void-expired = メールの送信から{ $life }が過ぎた
link-void-used = すでに登録の完了に使われた
link-void-newer = メールを再送したため、新しいURLに替わった
link-void-tried = 間違ったパスワードの入力が続いた
link-void-next = 登録がまだの場合は、お手数ですが初回登録を最初からやり直してください。すでに完了している場合は、そのままログインできます。
link-lapsed-title = 登録を完了できませんでした
link-lapsed-lead = お手続きの間に、健康保険組合に登録されている資格の情報が変わりました。そのため、登録は行われていません。
link-lapsed-next = 引き続き資格をお持ちの方は、お手数ですが最初からやり直してください。ご不明な場合は事務局へお問い合わせください。

done-title = 登録完了
done-lead = 初回登録が完了しました。
done-here = まもなく次の画面に進みます。
done-here-client = まもなく「{ $client }」に進みます。
done-continue = サービスに進む
done-elsewhere = 登録を始めた画面が開いたままの場合は、その画面が自動で切り替わります。この画面は閉じて構いません。
done-elsewhere-client = 「{ $client }」のページに戻れます。
done-to-service = サービスに戻る

# Consent
consent-title = 情報の利用の許可
consent-lead = 「{ $client }」が、次の情報の利用を求めています。
consent-claims = 次の項目
consent-host = 情報の送り先：{ $host }
consent-policy = 「{ $client }」のプライバシーポリシー
consent-terms = 「{ $client }」の利用規約
consent-allow = 許可して進む
consent-deny = 許可しない
scope-openid-title = ログインの確認
scope-openid-detail = このサービスだけで使う会員の番号(健康保険の記号・番号ではありません)と、ログインした時刻・方法
scope-profile-title = お名前など
scope-profile-detail = 登録した氏名(カタカナ)、ニックネーム(登録がある場合)、表示言語、時間帯(日本時間など)、更新日時
scope-birthdate-title = 生年月日
scope-birthdate-detail = 健康保険に登録されている生年月日
scope-gender-title = 性別
scope-gender-detail = マイページで登録した性別(登録がある場合)
scope-email-title = メールアドレス
scope-email-detail = 登録したメールアドレスと、確認済みかどうか
scope-membership-title = 健康保険の加入状況
scope-membership-detail = 健康保険組合の名称とコード、区分(一般被保険者・被扶養者・任意継続被保険者)、資格の状態と期間、どのような本人確認が済んでいるか
scope-insured_number-title = 保険者番号・記号・番号・枝番
scope-insured_number-detail = 健康保険事業のために利用されます。健康保険法第194条の2により、健康保険事業などの定められた目的以外で、これらの番号の告知を求めることは禁止されています。
scope-address-title = 住所
scope-address-detail = マイページで登録した住所(登録がある場合)
scope-phone-title = 電話番号
scope-phone-detail = マイページで登録した電話番号(登録がある場合。確認はされていません)
scope-offline_access-title = ログアウト後の継続利用
scope-offline_access-detail = サービスを使っていない間も、許可した情報を受け取れます
scope-other-title = サービス独自の権限: { $name }
scope-other-detail = 内容は、サービスの提供者にご確認ください。
claim-name = 氏名
claim-family_name = 氏
claim-given_name = 名
claim-locale = 表示言語
claim-zoneinfo = 時間帯(日本時間など)
claim-updated_at = 登録内容の更新日時
claim-birthdate = 生年月日
claim-gender = 性別(登録がある場合)
claim-nickname = ニックネーム(登録がある場合)
claim-phone_number = 電話番号(登録がある場合)
claim-phone_number_verified = 電話番号が確認済みかどうか
claim-address = 住所(登録がある場合)
claim-email = メールアドレス
claim-email_verified = メールアドレスが確認済みかどうか
claim-insurer_code = 健康保険組合のコード
claim-insurer_name = 健康保険組合の名称
claim-member_category = 区分(一般被保険者・被扶養者・任意継続被保険者)
claim-eligibility_status = 資格の状態
claim-eligible_from = 資格の取得日
claim-eligible_until = 資格の最終日
claim-identity_assurance = どのような本人確認が済んでいるか
claim-insurer_number = 保険者番号
claim-symbol = 記号
claim-number = 番号
claim-branch = 枝番

# Logout and account
logout-title = ログアウトしますか
logout-lead = ログアウトすると、次に利用するときにもう一度ログインが必要になります。
logout-lead-client = 「{ $client }」からログアウトの依頼がありました。ログアウトすると、次に利用するときにもう一度ログインが必要になります。
logout-yes = ログアウトする
logout-no = ログアウトしない
logged-out-title = ログアウトしました
logged-out-lead = 共用の端末をお使いの場合は、ブラウザーの画面をすべて閉じてください。
logged-out-again = もう一度ログインする
logged-out-onward = ご利用中のサービスにログアウトを伝えています。まもなく次のページに進みます。
logged-out-continue = 次に進む
logged-out-frame = サービスにログアウトを伝えます
category-insured = 一般被保険者
category-dependent = 被扶養者
category-voluntary = 任意継続被保険者

# Help
help-id-title = ログインIDをお忘れの方
help-id-lead = 一般被保険者の方のログインIDは、記号・番号からわかります。
help-id-rule = ログインIDの決まり
help-password-title = パスワードをお忘れの方
help-password-first = 初回登録がまだの方
help-password-known = 初回登録がお済みの方
help-password-known-text = 初回登録のあとは、基本設定でご自身が決めたパスワードでログインします。生年月日ではログインできません。
help-office = それでもわからないとき
help-office-text = 事務局へご連絡ください。ID・パスワードの両方をお忘れの場合は、登録内容を初期化することもできます。
help-back = ログインページに戻る

# Back to the service
form-post-title = サービスに戻ります
form-post-lead = 画面が切り替わらない場合は、下のボタンを押してください。
form-post-lead-client = 「{ $client }」に戻ります。画面が切り替わらない場合は、下のボタンを押してください。
form-post-continue = サービスに進む

# Errors
error-reference = 受付番号
error-reference-note = お問い合わせの際は、この番号をお伝えください。
error-400-title = 手続きを続けられません
error-400-message = 送信された内容を受け付けられませんでした。お手数ですが、ご利用のサービスからもう一度お試しください。
error-403-title = この操作はできません
error-403-message = 画面を開いてから時間がたったか、別の画面でログインし直した可能性があります。前の画面を再読み込みして、もう一度お試しください。
error-404-title = ページが見つかりません
error-404-message = アドレスが間違っているか、ページがなくなった可能性があります。
error-409-title = 手続きはすでに進んでいます
error-409-message = 別の画面で手続きが進んだため、この画面からは続けられません。
error-410-title = 手続きの有効期限が切れました
error-410-message = 時間がたったため、安全のため手続きを終了しました。お手数ですが、最初からやり直してください。
error-413-title = 送信された内容が大きすぎます
error-413-message = 入力内容を短くして、もう一度お試しください。
error-429-title = しばらくお待ちください
error-429-message = 短い時間に何度も操作があったため、受付を一時的に止めています。少し時間をおいて、もう一度お試しください。
error-500-title = 問題が発生しました
error-500-message = 申し訳ございません。こちら側の問題で、手続きを続けられませんでした。少し時間をおいて、もう一度お試しください。
error-503-title = ただいま混み合っています
error-503-message = 申し訳ございません。ただいまご利用いただけません。少し時間をおいて、もう一度お試しください。
error-request = ご利用のサービスからの依頼に誤りがあるため、続けられません。サービスの提供者にお知らせください。({ $detail })
error-other-browser = この手続きは、別のブラウザーで始められたか、Cookieが使えない設定になっています。Cookieを有効にして、最初からやり直してください。
error-name-misses = 氏名を確認できない状態が続いたため、初回登録を終了しました。事務局へお問い合わせください。
error-not-eligible-title = 資格を確認できませんでした
error-not-eligible = 現在、このサービスをご利用いただける資格を確認できませんでした。事務局へお問い合わせください。
error-minimum-age = このサービスは、{ $age }歳以上の方にご利用いただけます。
