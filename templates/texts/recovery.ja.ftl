## Forgotten login IDs and passwords

# 「ログインIDをお忘れの方」
forgot-id-mail = メールで確認する
forgot-id-mail-text = 初回登録がお済みの方は、登録したメールアドレスと生年月日で確認できます。
forgot-id-address = 被扶養者・任意継続被保険者の方は、登録したメールアドレスがログインIDです。
forgot-id-send = メールを送信する

# 「パスワードをお忘れの方」
forgot-password-known-text = 思い出せない場合は、ログインIDと生年月日を入力してください。登録したメールアドレスに、新しいパスワードを設定するためのURLをお送りします。
forgot-password-send = メールを送信する

forgot-email = メールアドレス
forgot-email-hint = 初回登録で登録したもの
forgot-birth-date = 生年月日
forgot-birth-date-hint = 例: 19990121、平成11年1月21日
forgot-error-limited = 短い時間に何度も操作があったため、受付を一時的に止めています。少し時間をおいて、もう一度お試しください。

# What is always said
forgot-sent-title = お手続きを受け付けました
forgot-sent-lead = 入力された内容が登録と一致した場合は、登録されているメールアドレスにメールをお送りします。
forgot-sent-login-id = メールの案内にそって、ログインIDをご確認ください。URLの有効期限は{ $life }です。
forgot-sent-password = メールに記載のURLを開き、新しいパスワードを設定してください。URLの有効期限は{ $life }です。
forgot-sent-unknown = 登録の有無をほかの方に知られないよう、一致したかどうかはこの画面に表示しません。
forgot-sent-none = メールが届かないとき
forgot-sent-none-spam = 迷惑メールのフォルダーもご確認ください。
forgot-sent-none-typed = 入力した内容に誤りがあると届きません。もう一度お試しください。
forgot-sent-none-often = 続けて何度も手続きをすると、しばらくメールは送られません。
forgot-sent-again = もう一度入力する

# The mailed link to the login ID
reveal-title = ログインIDの確認
reveal-lead = ご本人の確認のため、生年月日を入力してください。
reveal-show = ログインIDを表示する
reveal-once = 表示できるのは1回だけです。
reveal-error-empty = 生年月日を入力してください。
reveal-error-wrong = 生年月日が一致しません。あと{ $left }回間違えると、このURLは使えなくなります。
revealed-title = ログインIDの確認
revealed-lead = あなたのログインIDは次のとおりです。
revealed-note = この画面を閉じると、同じURLでは表示できません。必要な方は控えをお取りください。
revealed-next = ログインページに進む

# The mailed link to a new password
renew-title = 新しいパスワードの設定
renew-lead = 新しいパスワードを入力してください。
renew-label = 新しいパスワード
renew-hint = { $min }文字以上。文字の種類は自由です。生年月日やログインIDは使えません。
renew-effect = 設定すると、ログイン中のすべての端末とアプリからログアウトします。
renew-save = パスワードを設定する
renew-error-empty = 新しいパスワードを入力してください。
renewed-title = パスワードを設定しました
renewed-lead = 新しいパスワードでログインしてください。
renewed-signed-out = これまでログインしていた端末とアプリからは、ログアウトしました。
renewed-next = ログインページに進む

# A link that is dead
forgot-void-title = このURLは使えません
forgot-void-lead = 次のいずれかの理由で、このURLは無効になっています。
forgot-void-expired = 有効期限が過ぎた
forgot-void-used = すでに使われた
forgot-void-newer = 新しいメールが送られ、新しいURLに替わった
forgot-void-tried = 間違った入力が続いた
forgot-void-next = お手数ですが、もう一度お手続きください。
forgot-void-again = もう一度手続きする

## Mails

mail-forgot-once = このURLは1回だけ使えます。新しいメールが送られると、前のURLは使えなくなります。
mail-forgot-unexpected = このメールにお心当たりのない場合は破棄してください。登録内容が変わることはありません。

mail-forgot-id-subject = 【{ $insurer }】ログインIDのご確認({ $life }以内にお手続きください)
mail-forgot-id-subject-address = 【{ $insurer }】ログインIDのご確認
mail-forgot-id-intro = { $insurer }の健康ポータル「KENPOS」で、ログインIDをお忘れの方のお手続きを受け付けました。
mail-forgot-id-how = 次のURLを開き、生年月日を入力すると、ログインIDが表示されます。
mail-forgot-id-button = ログインIDを確認する
mail-forgot-id-address = ログインIDは、このメールを受信したメールアドレスです。

mail-forgot-password-subject = 【{ $insurer }】パスワードの再設定({ $life }以内にお手続きください)
mail-forgot-password-intro = { $insurer }の健康ポータル「KENPOS」で、パスワードをお忘れの方のお手続きを受け付けました。
mail-forgot-password-how = 次のURLを開き、新しいパスワードを設定してください。
mail-forgot-password-button = 新しいパスワードを設定する

mail-replaced-subject = 【{ $insurer }】パスワードが再設定されました
mail-replaced-intro = { $insurer }の健康ポータル「KENPOS」のパスワードが再設定されました。
mail-replaced-signed-out = これまでログインしていた端末とアプリからは、ログアウトしました。新しいパスワードでログインしてください。
mail-replaced-unexpected = この再設定に身に覚えのない場合は、すぐに下記までご連絡ください。

mail-reset-subject = 【{ $insurer }】登録内容が初期化されました
mail-reset-intro = { $insurer }の健康ポータル「KENPOS」のあなたの登録内容を、事務局が初期化しました。このメールアドレスの登録は削除され、これまでのパスワードではログインできません。
mail-reset-next = 引き続きご利用になる場合は、もう一度、初回登録を行ってください。
mail-reset-unexpected = この初期化に身に覚えのない場合は、すぐに下記までご連絡ください。

## One-time activation codes

code-label = 初回登録コード
code-summary = 初回登録コードをお持ちの方
code-hint = 初回登録の方のみ。事務局から受け取ったコードを入力してください。登録がお済みの方は空欄のままログインしてください。

letter-title = 初回登録のご案内
letter-lead = 健康ポータル「KENPOS」の初回登録に必要な情報をお知らせします。初回登録が終わるまで、大切に保管してください。
letter-code-note = 初回登録コードは、ご本人の初回登録のためだけのものです。ほかの方には教えないでください。登録が終わると使えなくなります。
letter-expires = 有効期限
letter-how = 初回登録の手順
letter-step-open = 次のURLを開き、ログインIDを入力してください。
letter-step-password = パスワードには生年月日(西暦)の8桁の数字を、初回登録コードには上のコードを入力してください。初回登録コードの欄が見えないときは、「初回登録コードをお持ちの方」を押すと開きます。生年月日だけでは登録できません。
letter-step-follow = 画面の案内にそって登録してください。新しいパスワードとメールアドレスを登録していただきます。
letter-issued = 発行日
