# Several insurers: choosing one, and apps that are for the members of one.

insurer-title = 健康保険組合の選択
insurer-lead = ご加入の健康保険組合を選んでください。
insurer-several = このメールアドレスは、複数の健康保険組合に登録されています。どちらにログインするか選び、もう一度パスワードを入力してください。
insurer-by-number = 保険者番号で探す
insurer-by-number-text = 資格情報のお知らせ・資格確認書・マイナポータルに記載されています。
insurer-next = この番号で進む
insurer-choose = 健康保険組合を選ぶ
insurer-other = 別の健康保険組合の方
members-only-title = このサービスはご利用いただけません
members-only-lead = このサービスは、下記の健康保険組合の会員専用です。別のアカウントをお持ちの方は、そのアカウントでログインしてください。
members-only-client = サービス
members-only-for = ご利用いただける方
members-only-own = ログイン中のアカウント
members-only-back = サービスに戻る
login-id-members-only = このサービスは{ $insurer }の会員専用です。そちらのログインIDを入力してください。
start-family-only-dependent = ご自身で登録できるのは、ご家族(被扶養者)の方のみです。任意継続被保険者の方は事務局へお問い合わせください。
start-family-only-voluntary = ご自身で登録できるのは、任意継続被保険者の方のみです。ご家族(被扶養者)の方は事務局へお問い合わせください。
start-family-none = こちらからの登録は受け付けていません。事務局へお問い合わせください。
forgot-password-insurer-hint = メールアドレスでログインする方のみ選択してください。
insurer-number-short = 保険者番号
